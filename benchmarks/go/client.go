package main

import (
	"bufio"
	"log"
	"net"
	"net/http"
	"syscall"
	"testing/iotest"
)

// client is a connection that is kept from one request to the next.
type client struct {
	conn    net.Conn
	raw     syscall.RawConn
	head    *bufio.Reader
	request []byte
	buffer  []byte
}

// dial connects. The kernel keeps at most about `buffer` bytes that have not been read, 0 for as many as it likes.
func dial(address string, buffer int) *client {
	conn, request := connected(address, "")
	if buffer > 0 {
		check(conn.(*net.TCPConn).SetReadBuffer(buffer))
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	check(err)
	// One byte at a time: what follows the head is left in the socket.
	head := bufio.NewReaderSize(iotest.OneByteReader(conn), 16)
	return &client{conn: conn, raw: raw, head: head, request: request}
}

// ask sends the request, reads the head of its answer, and gives the bytes that are to follow.
func (c *client) ask() int64 {
	_, err := c.conn.Write(c.request)
	check(err)
	answer, err := http.ReadResponse(c.head, nil)
	check(err)
	if answer.StatusCode != http.StatusOK || answer.ContentLength < 0 {
		log.Fatal(answer.Status)
	}
	return answer.ContentLength
}

// drop waits for bytes, has the kernel throw away at most so many (MSG_TRUNC, tcp(7)), and gives their number.
func (c *client) drop(most int64) int64 {
	most = min(most, 4<<20)
	var got uintptr
	var failed syscall.Errno
	check(c.raw.Read(func(socket uintptr) bool {
		const flags = syscall.MSG_TRUNC | syscall.MSG_DONTWAIT
		got, _, failed = syscall.Syscall6(syscall.SYS_RECVFROM, socket, 0, uintptr(most), flags, 0, 0)
		return failed != syscall.EAGAIN && failed != syscall.EINTR
	}))
	if failed != 0 || got == 0 {
		log.Fatal("the server left: ", failed)
	}
	return int64(got)
}

// read waits for bytes, takes at most so many, and gives their number.
func (c *client) read(most int64) int64 {
	if c.buffer == nil {
		c.buffer = make([]byte, 256<<10)
	}
	got, err := c.conn.Read(c.buffer[:min(most, int64(len(c.buffer)))])
	check(err)
	return int64(got)
}
