package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"
)

// pause is what a slow client does between its reads.
const pause = 100 * time.Millisecond

// files answers each request with a file of the folder.
func files(folder string) {
	serve(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(folder, filepath.Base(r.URL.Path)))
	})
}

// blobs gets what is at the address so many times, over so many connections, and prints the bytes and the seconds. What
// comes is read, as clients do, or dropped, which leaves more of the machine to the server.
func blobs(address string, connections int, times int64, read bool) {
	var begun, total atomic.Int64
	began := time.Now()
	each(connections, func(int) {
		c := dial(address, 0)
		take := c.drop
		if read {
			take = c.read
		}
		for begun.Add(1) <= times {
			size := c.ask()
			for left := size; left > 0; {
				left -= take(left)
			}
			total.Add(size)
		}
	})
	fmt.Println(total.Load(), time.Since(began).Seconds())
}

// slow has clients read at a speed until the time is up; they come one after the other in its first quarter. It prints
// the bytes a second that each of them had, and the milliseconds that requests for something else took beside them:
// the median, and the 99th of a hundred.
func slow(address string, connections int, speed float64, last time.Duration, beside string) {
	var total, wanted atomic.Int64
	var taken []float64
	end := time.Now().Add(last)
	each(connections+1, func(number int) {
		if number == connections {
			taken = besides(beside, end)
			return
		}
		time.Sleep(last / 4 * time.Duration(number) / time.Duration(connections))
		wanted.Add(int64(time.Until(end).Seconds() * speed))
		c := dial(address, 64<<10)
		c.ask()
		for had := time.Now(); had.Before(end); had = time.Now() {
			time.Sleep(pause)
			for due := int64(time.Since(had).Seconds() * speed); due > 0; {
				got := c.drop(due)
				due -= got
				total.Add(got)
			}
		}
	})
	had := speed * float64(total.Load()) / float64(wanted.Load())
	median, late, _ := ranks(taken)
	fmt.Println(had, median, late)
}

// besides asks again and again until the end, and gives the milliseconds of each answer, without those of the first half
// of the time.
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
		taken = append(taken, since(began))
		time.Sleep(5 * time.Millisecond)
	}
	return taken
}
