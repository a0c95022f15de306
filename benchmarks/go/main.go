// The other side of the benchmarks: servers and a packer as Go has them, and clients that are no bottleneck.
//
//	peers pack FOLDER < GROUPS        each line of GROUPS has the store paths of one layer
//	peers ask URL A_SECOND SECONDS
//	peers manifest FILE
//	peers manifests URL ACCEPT CONNECTIONS SECONDS SHA256
//	peers files FOLDER
//	peers blobs URL CONNECTIONS TIMES drop|read
//	peers slow URL CONNECTIONS BYTES_PER_SECOND SECONDS BESIDE_URL
package main

import (
	"fmt"
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

// command is one of those above: how many words follow its name, and what it does with them.
type command struct {
	words int
	do    func([]string)
}

var commands = map[string]command{
	"pack":      {1, func(w []string) { pack(w[0]) }},
	"ask":       {3, func(w []string) { ask(w[0], int(number(w[1])), seconds(w[2])) }},
	"manifest":  {1, func(w []string) { manifest(w[0]) }},
	"manifests": {5, func(w []string) { manifests(w[0], w[1], int(number(w[2])), seconds(w[3]), w[4]) }},
	"files":     {1, func(w []string) { files(w[0]) }},
	"blobs":     {4, func(w []string) { blobs(w[0], int(number(w[1])), int64(number(w[2])), w[3] == "read") }},
	"slow":      {5, func(w []string) { slow(w[0], int(number(w[1])), number(w[2]), seconds(w[3]), w[4]) }},
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 {
		if asked, known := commands[os.Args[1]]; known && asked.words == len(os.Args)-2 {
			asked.do(os.Args[2:])
			return
		}
	}
	log.Fatal("see the first lines of main.go")
}

// serve answers requests at a port of its own, which it prints first.
func serve(handler http.HandlerFunc) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	check(http.Serve(listener, handler))
}

// each runs the function for all numbers below this one at once, and waits for all of them.
func each(number int, do func(int)) {
	var all sync.WaitGroup
	for i := 0; i < number; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			do(i)
		}(i)
	}
	all.Wait()
}

// connected gives a connection to an address, and the request that gets what is there; `headers` end with a line's end.
func connected(address, headers string) (net.Conn, []byte) {
	where, err := url.Parse(address)
	check(err)
	conn, err := net.Dial("tcp", where.Host)
	check(err)
	return conn, []byte("GET " + where.RequestURI() + " HTTP/1.1\r\nHost: r\r\n" + headers + "\r\n")
}

// since gives the milliseconds that have passed.
func since(began time.Time) float64 {
	return float64(time.Since(began).Microseconds()) / 1000
}

// ranks sorts what was measured, and gives the median, the 99th of a hundred, and the most.
func ranks(taken []float64) (median, late, most float64) {
	sort.Float64s(taken)
	return taken[len(taken)/2], taken[len(taken)*99/100], taken[len(taken)-1]
}

func seconds(word string) time.Duration {
	return time.Duration(number(word) * float64(time.Second))
}

func number(word string) float64 {
	value, err := strconv.ParseFloat(word, 64)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
