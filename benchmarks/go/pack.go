package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pack makes one layer after the other in files of the folder, and prints seconds, CPU seconds and compressed bytes.
func pack(folder string) {
	began := time.Now()
	var size int64
	groups := bufio.NewReader(os.Stdin)
	for number := 0; ; number++ {
		line, err := groups.ReadString('\n')
		if err == io.EOF {
			break
		}
		check(err)
		size += layer(filepath.Join(folder, strconv.Itoa(number)), strings.Fields(line))
	}
	var used syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	cpu := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	fmt.Println(time.Since(began).Seconds(), cpu.Seconds(), size)
}

// layer packs store paths into a file, with the SHA-256 of the tar and of the file, and gives the file's bytes.
func layer(name string, paths []string) int64 {
	file, err := os.Create(name)
	check(err)
	defer file.Close()
	digest, diffID := sha256.New(), sha256.New()
	zipped, err := gzip.NewWriterLevel(io.MultiWriter(file, digest), 6)
	check(err)
	archive := tar.NewWriter(io.MultiWriter(zipped, diffID))
	for _, path := range paths {
		check(filepath.Walk(path, func(path string, info fs.FileInfo, err error) error {
			check(err)
			return add(archive, path, info)
		}))
	}
	check(archive.Close())
	check(zipped.Close())
	size, err := file.Seek(0, io.SeekCurrent)
	check(err)
	return size
}

func add(archive *tar.Writer, path string, info fs.FileInfo) (err error) {
	target := ""
	if info.Mode()&os.ModeSymlink != 0 {
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	header.Name = path
	if err = archive.WriteHeader(header); err != nil || !info.Mode().IsRegular() {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(archive, file)
	return err
}
