// Copies a topic exactly once: no record is lost, none is duplicated.
//
// Records and position become visible together, in one transaction. Any error
// ends the program; start it again, and it goes on at the committed position.
// Each instance needs a KDG_WORKER of its own.
//
//	go mod init copy && go mod tidy && go build -o copy exactly_once.go
//	kdg verify -g exactly-once -- ./copy
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
	"transactional.id":         group + "-" + os.Getenv("KDG_WORKER"),
	"enable.idempotence":       true,
	"acks":                     "all",
	"message.send.max.retries": 2147483647,
	"transaction.timeout.ms":   15000,
	"go.delivery.reports":      false,
}

// == Start ==
var stopping, _ = signal.NotifyContext(
	context.Background(), syscall.SIGINT, syscall.SIGTERM)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// repeat calls again after a timeout: the same commit or abort continues. Then
// it fails: a late request could act on the next transaction of this producer.
func repeat(call func(context.Context) error) error {
	var late error
	for {
		limit := 10 * time.Second
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		err := call(ctx)
		cancel()
		if err == nil {
			return late
		}
		e, known := err.(kafka.Error)
		if !known || !e.IsRetriable() || stopping.Err() != nil {
			return err
		}
		late = err
	}
}

// == Steps ==
var batch []*kafka.Message
var member *kafka.ConsumerGroupMetadata

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
	if err := producer.InitTransactions(stopping); err != nil {
		return err
	}
	err = consumer.Subscribe(source, rebalanced)
	for err == nil && stopping.Err() == nil {
		if err = read(consumer); err == nil && len(batch) > 0 {
			err = settle(producer)
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
	var err error
	if member, err = consumer.GetConsumerGroupMetadata(); err != nil {
		return err
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

func settle(producer *kafka.Producer) error {
	if err := producer.BeginTransaction(); err != nil {
		return err
	}
	err := sendAndCommit(producer)
	if e, ok := err.(kafka.Error); ok && e.TxnRequiresAbort() {
		repeat(producer.AbortTransaction)
	}
	return err
}

func sendAndCommit(producer *kafka.Producer) error {
	for _, message := range batch {
		if err := producer.Produce(copyOf(message), nil); err != nil {
			return err
		}
	}
	err := repeat(func(ctx context.Context) error {
		return producer.SendOffsetsToTransaction(ctx, positions(), member)
	})
	if err != nil {
		return err
	}
	return repeat(producer.CommitTransaction)
}
