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

// most is how many requests there are at most: half an hour of them, 500 times a second.
const most = 1 << 20

// answered says when a request was due, and the milliseconds from then until it was answered.
type answered struct {
	due   time.Time
	taken float64
}

// ask sends so many requests a second, each when it is due, until the time is up or it is interrupted. It says that it
// begins when each of its connections has had an answer. Then it prints a line for each request: when it was due, in
// seconds since 1970, and the milliseconds until it was answered. It comes before all others, as a client does that has a
// machine of its own.
func ask(address string, each int, last time.Duration) {
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, 0, -20)
	due, taken := make(chan time.Time, most), make(chan answered, most)
	for i := 0; i < connections; i++ {
		go answer(address, due, taken)
	}
	for i := 0; i < connections; i++ {
		<-taken
	}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt)
	fmt.Println("begins")
	began, sent := time.Now(), 0
	for now := began; now.Sub(began) < last && len(stopped) == 0; now = time.Now() {
		for ; sent < int(now.Sub(began).Seconds()*float64(each)); sent++ {
			due <- began.Add(time.Duration(float64(sent+1) / float64(each) * float64(time.Second)))
		}
		time.Sleep(200 * time.Microsecond)
	}
	for ; sent > 0; sent-- {
		one := <-taken
		fmt.Printf("%.6f %.3f\n", float64(one.due.UnixMicro())/1e6, one.taken)
	}
}

// answer asks once, and then for each that is due.
func answer(address string, due <-chan time.Time, taken chan<- answered) {
	conn, request := connected(address, "")
	reader := bufio.NewReader(conn)
	for when := time.Now(); ; when = <-due {
		_, err := conn.Write(request)
		check(err)
		response, err := http.ReadResponse(reader, nil)
		check(err)
		if response.StatusCode != http.StatusOK {
			log.Fatal(response.Status)
		}
		_, err = io.Copy(io.Discard, response.Body)
		check(err)
		taken <- answered{when, since(when)}
	}
}
