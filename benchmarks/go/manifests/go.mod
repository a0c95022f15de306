module manifests

go 1.21
