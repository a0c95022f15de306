module packing

go 1.21
