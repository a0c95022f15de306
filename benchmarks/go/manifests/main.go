// The other side of benchmarks/manifests.py: a bare handler of Go's net/http, and clients that are no bottleneck.
//
//	manifests serve FILE
//	manifests pull URL ACCEPT CONNECTIONS SECONDS SHA256
package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"
)

func main() {
	log.SetFlags(0)
	words := os.Args[1:]
	switch {
	case len(words) == 2 && words[0] == "serve":
		serve(words[1])
	case len(words) == 6 && words[0] == "pull":
		connections, err := strconv.Atoi(words[3])
		check(err)
		seconds, err := strconv.ParseFloat(words[4], 64)
		check(err)
		pull(words[1], words[2], connections, time.Duration(seconds*float64(time.Second)), words[5])
	default:
		log.Fatal("see the first lines of main.go")
	}
}

// serve answers each request with the file's bytes, from memory, after it has printed its port.
func serve(file string) {
	body, err := os.ReadFile(file)
	check(err)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(body))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	check(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Header().Set("Docker-Content-Digest", digest)
		w.Write(body)
	})))
}

// pull asks again and again until the time is up, and prints the answers, the seconds, and the milliseconds that an
// answer took: the median, and the 99th of a hundred. Every first answer of a connection is checked by its hash, and
// all others by their lengths.
func pull(address, accept string, connections int, last time.Duration, hash string) {
	where, err := url.Parse(address)
	check(err)
	request := []byte("GET " + where.RequestURI() + " HTTP/1.1\r\nHost: r\r\nAccept: " + accept + "\r\n\r\n")
	taken := make([][]float64, connections)
	var ready, all sync.WaitGroup
	ready.Add(connections)
	all.Add(connections)
	var end time.Time
	begin := make(chan struct{})
	for i := range taken {
		go func(i int) {
			defer all.Done()
			conn, err := net.Dial("tcp", where.Host)
			check(err)
			buffered := bufio.NewReaderSize(conn, 64<<10)
			length := first(conn, buffered, request, hash)
			answer := make([]byte, length)
			ready.Done()
			<-begin
			for began := time.Now(); began.Before(end); began = time.Now() {
				_, err := conn.Write(request)
				check(err)
				_, err = io.ReadFull(conn, answer)
				check(err)
				if string(answer[:12]) != "HTTP/1.1 200" {
					log.Fatalf("%.80q", answer)
				}
				taken[i] = append(taken[i], float64(time.Since(began).Microseconds())/1000)
			}
		}(i)
	}
	ready.Wait()
	began := time.Now()
	end = began.Add(last)
	close(begin)
	all.Wait()
	report(taken, time.Since(began))
}

func report(taken [][]float64, last time.Duration) {
	var each []float64
	for _, some := range taken {
		each = append(each, some...)
	}
	sort.Float64s(each)
	fmt.Println(len(each), last.Seconds(), each[len(each)/2], each[len(each)*99/100])
}

// first asks once, checks the answer, and gives the bytes of its head and body together: all that follow have as many.
func first(conn net.Conn, buffered *bufio.Reader, request []byte, hash string) int {
	counted := &counter{reader: buffered}
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

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
