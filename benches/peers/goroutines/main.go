// Goroutines and channels on one thread, at the works of benches/task.ts that Go has words for:
//
//	goroutines WARM_MS MEASURE_MS WORK=COUNT...
//
// Prints a line of JSON for each work: `value` is in nanoseconds of the median round an operation, and in resident
// bytes a goroutine for memory_pending. Every round checks its own result.
package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	yieldingTasks = 200
	capacity      = 1000
	settling      = 200 * time.Millisecond
)

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// At least one round.
func repeat(atLeast time.Duration, body func()) []time.Duration {
	var each []time.Duration
	for start := time.Now(); len(each) == 0 || time.Since(start) < atLeast; {
		round := time.Now()
		body()
		each = append(each, time.Since(round))
	}
	slices.Sort(each)
	return each
}

func timed(name string, n int, warm, measure time.Duration, body func(int)) {
	round := func() { body(n) }
	repeat(warm, round)
	before := cpu()
	each := repeat(measure, round)
	spent := float64(cpu()-before) / float64(len(each)*n)
	fmt.Printf("{\"work\":%q,\"value\":%.1f,\"cpu\":%.1f}\n", name, float64(each[len(each)/2])/float64(n), spent)
}

func expect(what string, found, right int) {
	if found != right {
		panic(fmt.Sprintf("%s gave %d, and %d is right", what, found, right))
	}
}

func spawnMany(n int) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go all.Done()
	}
	all.Wait()
}

func yieldMany(n int) {
	var all sync.WaitGroup
	all.Add(yieldingTasks)
	for task := 0; task < yieldingTasks; task++ {
		go func() {
			for i := 0; i < n/yieldingTasks; i++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
}

func pingPong(n int) {
	var all sync.WaitGroup
	all.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) {
			ping, pong := make(chan int, 1), make(chan int, 1)
			go func() { pong <- <-ping + 1 }()
			ping <- i
			expect("ping_pong", <-pong, i+1)
			all.Done()
		}(i)
	}
	all.Wait()
}

func link(left int, end chan<- struct{}) {
	if left == 0 {
		close(end)
	} else {
		go link(left-1, end)
	}
}

func chainedSpawn(n int) {
	end := make(chan struct{})
	link(n, end)
	<-end
}

func messages(n, senders int) {
	channel := make(chan int, capacity)
	var all sync.WaitGroup
	all.Add(senders)
	for first := 0; first < senders; first++ {
		go func(first int) {
			for i := first; i < n; i += senders {
				channel <- i
			}
			all.Done()
		}(first)
	}
	go func() {
		all.Wait()
		close(channel)
	}()
	count, sum := 0, 0
	for i := range channel {
		count++
		sum += i
	}
	expect("the count of messages", count, n)
	expect("the sum of messages", sum, n*(n-1)/2)
}

func resident() int {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	return number(strings.Fields(string(statm))[1]) * os.Getpagesize()
}

func memoryPending(n int) {
	never := make(chan struct{})
	before := resident()
	for i := 0; i < n; i++ {
		go func() { <-never }()
	}
	time.Sleep(settling)
	grown := resident() - before
	close(never)
	fmt.Printf("{\"work\":\"memory_pending\",\"value\":%.1f}\n", float64(grown)/float64(n))
}

func main() {
	runtime.GOMAXPROCS(1)
	warm := time.Duration(number(os.Args[1])) * time.Millisecond
	measure := time.Duration(number(os.Args[2])) * time.Millisecond
	works := map[string]func(int){
		"spawn_many":    spawnMany,
		"yield_many":    yieldMany,
		"ping_pong":     pingPong,
		"chained_spawn": chainedSpawn,
		"mpsc_1":        func(n int) { messages(n, 1) },
		"mpsc_5":        func(n int) { messages(n, 5) },
	}
	for _, work := range os.Args[3:] {
		name, count, _ := strings.Cut(work, "=")
		if name == "memory_pending" {
			memoryPending(number(count))
		} else {
			timed(name, number(count), warm, measure, works[name])
		}
	}
}
