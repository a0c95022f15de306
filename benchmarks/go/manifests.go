package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// manifest answers each request with the file's bytes, from memory.
func manifest(file string) {
	body, err := os.ReadFile(file)
	check(err)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(body))
	serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("Docker-Content-Digest", digest)
		w.Write(body)
	})
}

// manifests asks again and again until the time is up, and prints the answers, the seconds, and the milliseconds that an
// answer took: the median, and the 99th of a hundred. Every first answer of a connection is checked by its hash, and
// all others by their lengths.
func manifests(address, accept string, connections int, last time.Duration, hash string) {
	taken := make([][]float64, connections)
	var began time.Time
	var ready sync.WaitGroup
	ready.Add(connections)
	each(connections, func(i int) {
		conn, request := connected(address, "Accept: "+accept+"\r\n")
		answer := make([]byte, first(conn, request, hash))
		ready.Done()
		ready.Wait()
		if i == 0 {
			began = time.Now()
		}
		taken[i] = again(conn, request, answer, time.Now().Add(last))
	})
	report(taken, time.Since(began))
}

// again asks until the end, into a buffer of an answer's size, and gives the milliseconds of each answer.
func again(conn net.Conn, request, answer []byte, end time.Time) (taken []float64) {
	for began := time.Now(); began.Before(end); began = time.Now() {
		_, err := conn.Write(request)
		check(err)
		_, err = io.ReadFull(conn, answer)
		check(err)
		if string(answer[:12]) != "HTTP/1.1 200" {
			log.Fatalf("%.80q", answer)
		}
		taken = append(taken, since(began))
	}
	return taken
}

func report(taken [][]float64, last time.Duration) {
	var each []float64
	for _, some := range taken {
		each = append(each, some...)
	}
	median, late, _ := ranks(each)
	fmt.Println(len(each), last.Seconds(), median, late)
}

// first asks once, checks the answer, and gives the bytes of its head and body together: all that follow have as many.
func first(conn net.Conn, request []byte, hash string) int {
	counted := &counter{reader: bufio.NewReaderSize(conn, 64<<10)}
	_, err := conn.Write(request)
	check(err)
	answer, err := http.ReadResponse(bufio.NewReaderSize(counted, 16), nil)
	check(err)
	body, err := io.ReadAll(answer.Body)
	check(err)
	if found := fmt.Sprintf("%x", sha256.Sum256(body)); answer.StatusCode != http.StatusOK || found != hash {
		log.Fatalf("%s with a body of the hash %s instead of %s", answer.Status, found, hash)
	}
	return counted.bytes
}

// counter counts what is read.
type counter struct {
	reader io.Reader
	bytes  int
}

func (c *counter) Read(buffer []byte) (int, error) {
	read, err := c.reader.Read(buffer)
	c.bytes += read
	return read, err
}
