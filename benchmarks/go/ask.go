package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"sort"
	"syscall"
	"time"
)

const connections = 16

// ask sends so many requests a second, each when it is due, until the time is up or it is interrupted. It prints the
// milliseconds until they were answered, from when they were due: the median, the 99th of a hundred, the most, and
// the number of requests. It comes before all others, as a client does that has a machine of its own.
func ask(address string, each int, last time.Duration) {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, -20)
	where, err := url.Parse(address)
	check(err)
	due, taken := make(chan time.Time, 100000), make(chan float64, 100000)
	for i := 0; i < connections; i++ {
		go answer(where, due, taken)
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt)
	began, sent := time.Now(), 0
	for now := began; now.Sub(began) < last && len(stopped) == 0; now = time.Now() {
		for ; sent < int(now.Sub(began).Seconds()*float64(each)); sent++ {
			due <- began.Add(time.Duration(float64(sent+1) / float64(each) * float64(time.Second)))
		}
		time.Sleep(200 * time.Microsecond)
	}
	all := make([]float64, sent)
	for i := range all {
		all[i] = <-taken
	}
	sort.Float64s(all)
	fmt.Println(all[sent/2], all[sent*99/100], all[sent-1], sent)
}

func answer(where *url.URL, due <-chan time.Time, taken chan<- float64) {
	conn, err := net.Dial("tcp", where.Host)
	check(err)
	request := []byte("GET " + where.RequestURI() + " HTTP/1.1\r\nHost: r\r\n\r\n")
	reader := bufio.NewReader(conn)
	for when := range due {
		_, err = conn.Write(request)
		check(err)
		response, err := http.ReadResponse(reader, nil)
		check(err)
		if response.StatusCode != http.StatusOK {
			log.Fatal(response.Status)
		}
		_, err = io.Copy(io.Discard, response.Body)
		check(err)
		taken <- float64(time.Since(when).Microseconds()) / 1000
	}
}
