// The other side of benchmarks/blobs.py: Go's own server of a file, and clients that are no bottleneck.
//
//	blobs serve FOLDER
//	blobs pull URL CONNECTIONS TIMES
//	blobs slow URL CONNECTIONS BYTES_PER_SECOND SECONDS BESIDE_URL
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// pause is what a slow client does between its reads.
const pause = 100 * time.Millisecond

func main() {
	log.SetFlags(0)
	words := os.Args[1:]
	switch {
	case len(words) == 2 && words[0] == "serve":
		serve(words[1])
	case len(words) == 4 && words[0] == "pull":
		pull(words[1], number(words[2]), int64(number(words[3])))
	case len(words) == 6 && words[0] == "slow":
		slow(words[1], number(words[2]), number(words[3]), time.Duration(number(words[4]))*time.Second, words[5])
	default:
		log.Fatal("see the first lines of main.go")
	}
}

// serve answers each request with a file of the folder, after it has printed its port.
func serve(folder string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)
	check(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(folder, filepath.Base(r.URL.Path)))
	})))
}

// pull gets what is at the address so many times, over so many connections, and prints the bytes and the seconds.
func pull(address string, connections int, times int64) {
	var begun, total atomic.Int64
	began := time.Now()
	each(connections, func(int) {
		c := dial(address, 0)
		for begun.Add(1) <= times {
			size := c.ask()
			for left := size; left > 0; {
				left -= c.drop(left)
			}
			total.Add(size)
		}
	})
	fmt.Println(total.Load(), time.Since(began).Seconds())
}

// slow has clients read at a speed until the time is up; they come one after the other in its first quarter. It prints
// the bytes a second that each of them had, and the milliseconds that requests for something else took beside them:
// the median, and the 99th of a hundred.
func slow(address string, connections, speed int, last time.Duration, beside string) {
	var total, wanted atomic.Int64
	var taken []float64
	end := time.Now().Add(last)
	each(connections+1, func(number int) {
		if number == connections {
			taken = besides(beside, end)
			return
		}
		time.Sleep(last / 4 * time.Duration(number) / time.Duration(connections))
		wanted.Add(int64(time.Until(end).Seconds() * float64(speed)))
		c := dial(address, 64<<10)
		c.ask()
		for had := time.Now(); had.Before(end); had = time.Now() {
			time.Sleep(pause)
			for due := int64(time.Since(had).Seconds() * float64(speed)); due > 0; {
				got := c.drop(due)
				due -= got
				total.Add(got)
			}
		}
	})
	had := float64(speed) * float64(total.Load()) / float64(wanted.Load())
	fmt.Println(had, taken[len(taken)/2], taken[len(taken)*99/100])
}

// besides asks again and again until the end, and gives the milliseconds of each answer, sorted, without those of the
// first half of the time.
func besides(address string, end time.Time) (taken []float64) {
	half := time.Now().Add(time.Until(end) / 2)
	c := dial(address, 0)
	for time.Now().Before(end) {
		began := time.Now()
		for left := c.ask(); left > 0; {
			left -= c.drop(left)
		}
		if began.Before(half) {
			taken = taken[:0]
		}
		taken = append(taken, float64(time.Since(began).Microseconds())/1000)
		time.Sleep(5 * time.Millisecond)
	}
	sort.Float64s(taken)
	return taken
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

func number(word string) int {
	value, err := strconv.Atoi(word)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
