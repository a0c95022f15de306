module blobs

go 1.21
