// Copies a topic at least once: a record may be duplicated, none is lost.
//
// The records are sent first. The position is committed when the delivery
// report of each record says that the topic has it. Any error ends the
// program; start it again, and it goes on at the committed position.
//
//	go mod init copy && go mod tidy && go build -o copy at_least_once.go
//	kdg verify -g at-least-once -- ./copy
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

var (
	brokers = os.Getenv("KDG_BROKERS")
	group   = os.Getenv("KDG_GROUP")
	source  = os.Getenv("KDG_SOURCE")
	target  = os.Getenv("KDG_TARGET")
)

// == Configuration ==
var reading = kafka.ConfigMap{
	"bootstrap.servers":        brokers,
	"group.id":                 group,
	"isolation.level":          "read_committed",
	"enable.auto.commit":       false,
	"enable.auto.offset.store": false,
	"auto.offset.reset":        "error",
	"session.timeout.ms":       6000,
}

var writing = kafka.ConfigMap{
	"bootstrap.servers":        brokers,
	"acks":                     "all",
	"enable.idempotence":       true,
	"message.send.max.retries": 2147483647,
}

// == Start ==
var stopping, _ = signal.NotifyContext(
	context.Background(), syscall.SIGINT, syscall.SIGTERM)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// == Steps ==
var batch []*kafka.Message

func run() error {
	consumer, err := kafka.NewConsumer(&reading)
	if err != nil {
		return err
	}
	defer consumer.Close()
	producer, err := kafka.NewProducer(&writing)
	if err != nil {
		return err
	}
	defer producer.Close()
	go func() {
		for range producer.Events() {
		}
	}()
	err = consumer.Subscribe(source, rebalanced)
	for err == nil && stopping.Err() == nil {
		if err = read(consumer); err == nil && len(batch) > 0 {
			err = settle(consumer, producer)
			batch = nil
		}
	}
	return err
}

// rebalanced drops what was read: nothing of it is sent, the next owner reads
// it. A partition without a position is new: it starts at its beginning.
func rebalanced(consumer *kafka.Consumer, event kafka.Event) error {
	batch = nil
	assigned, yes := event.(kafka.AssignedPartitions)
	if !yes {
		return nil
	}
	starts, err := consumer.Committed(assigned.Partitions, 60000)
	if err != nil {
		return err
	}
	for i := range starts {
		starts[i].LeaderEpoch = nil
		if starts[i].Offset < 0 {
			starts[i].Offset = kafka.OffsetBeginning
		}
	}
	return consumer.Assign(starts)
}

// read takes up to 500 records, within half a second. Only here records
// arrive, and only here partitions come and go.
func read(consumer *kafka.Consumer) error {
	until := time.Now().Add(500 * time.Millisecond)
	for len(batch) < 500 && time.Now().Before(until) {
		switch event := consumer.Poll(100).(type) {
		case nil:
			return nil
		case *kafka.Message:
			if event.TopicPartition.Error != nil {
				return event.TopicPartition.Error
			}
			batch = append(batch, event)
		case kafka.Error:
			away := event.Code() == kafka.ErrTransport ||
				event.Code() == kafka.ErrAllBrokersDown
			if !away {
				return event
			}
		}
	}
	return nil
}

func copyOf(m *kafka.Message) *kafka.Message {
	return &kafka.Message{
		TopicPartition: kafka.TopicPartition{
			Topic: &target, Partition: kafka.PartitionAny},
		Key:       m.Key,
		Value:     m.Value,
		Headers:   m.Headers,
		Timestamp: m.Timestamp,
	}
}

// positions has for each partition the offset after its last record.
func positions() []kafka.TopicPartition {
	after := map[int32]kafka.Offset{}
	for _, m := range batch {
		after[m.TopicPartition.Partition] = m.TopicPartition.Offset + 1
	}
	var found []kafka.TopicPartition
	for partition, offset := range after {
		found = append(found, kafka.TopicPartition{
			Topic: &source, Partition: partition, Offset: offset})
	}
	return found
}

func commit(consumer *kafka.Consumer) error {
	committed, err := consumer.CommitOffsets(positions())
	for _, p := range committed {
		if p.Error != nil {
			return p.Error
		}
	}
	return err
}

func settle(consumer *kafka.Consumer, producer *kafka.Producer) error {
	reports := make(chan kafka.Event, len(batch))
	for _, message := range batch {
		if err := producer.Produce(copyOf(message), reports); err != nil {
			return err
		}
	}
	for range batch {
		report := (<-reports).(*kafka.Message)
		if report.TopicPartition.Error != nil {
			return report.TopicPartition.Error
		}
	}
	return commit(consumer)
}
