package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const connections = 16

// ask sends so many requests a second, each when it is due, until the time is up or it is interrupted. It prints the
// milliseconds until they were answered, from when they were due: the median, the 99th of a hundred, the most, and
// the number of requests. It comes before all others, as a client does that has a machine of its own.
func ask(address string, each int, last time.Duration) {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, -20)
	due, taken := make(chan time.Time, 100000), make(chan float64, 100000)
	for i := 0; i < connections; i++ {
		go answer(address, due, taken)
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
	median, late, most := ranks(all)
	fmt.Println(median, late, most, sent)
}

func answer(address string, due <-chan time.Time, taken chan<- float64) {
	conn, request := connected(address, "")
	reader := bufio.NewReader(conn)
	for when := range due {
		_, err := conn.Write(request)
		check(err)
		response, err := http.ReadResponse(reader, nil)
		check(err)
		if response.StatusCode != http.StatusOK {
			log.Fatal(response.Status)
		}
		_, err = io.Copy(io.Discard, response.Body)
		check(err)
		taken <- since(when)
	}
}
