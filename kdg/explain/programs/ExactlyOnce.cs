// Copies a topic exactly once: no record is lost, none is duplicated.
//
// Records and position become visible together, in one transaction. Any error
// ends the program; start it again, and it goes on at the committed position.
// Each instance needs a KDG_WORKER of its own.
//
//     dotnet new console -o copy && cd copy && rm Program.cs
//     dotnet add package Confluent.Kafka && dotnet build -o out
//     kdg verify -g exactly-once -- dotnet out/copy.dll
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Confluent.Kafka;

static class ExactlyOnce
{
    static string Get(string name) => Environment.GetEnvironmentVariable(name);
    static readonly string Brokers = Get("KDG_BROKERS");
    static readonly string Group = Get("KDG_GROUP");
    static readonly string Source = Get("KDG_SOURCE");
    static readonly string Target = Get("KDG_TARGET");

    // == Configuration ==
    static readonly ConsumerConfig Reading = new ConsumerConfig
    {
        BootstrapServers = Brokers,
        GroupId = Group,
        IsolationLevel = IsolationLevel.ReadCommitted,
        EnableAutoCommit = false,
        EnableAutoOffsetStore = false,
        AutoOffsetReset = AutoOffsetReset.Error,
        SessionTimeoutMs = 6000,
    };

    static readonly ProducerConfig Writing = new ProducerConfig
    {
        BootstrapServers = Brokers,
        TransactionalId = Group + "-" + Get("KDG_WORKER"),
        EnableIdempotence = true,
        Acks = Acks.All,
        MessageSendMaxRetries = 2147483647,
        TransactionTimeoutMs = 15000,
    };

    // == Start ==
    static IConsumer<byte[], byte[]> Consumer;
    static IProducer<byte[], byte[]> Producer;
    static volatile bool Stopping;

    static void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        Stopping = true;
    }

    // Calls again after a timeout: the same commit or abort continues. Then it
    // throws: a late request could act on this producer's next transaction.
    static void Repeat(Action<TimeSpan> call)
    {
        KafkaRetriableException late = null;
        for (var done = false; !done;)
        {
            try
            {
                call(TimeSpan.FromSeconds(10));
                done = true;
            }
            catch (KafkaRetriableException error) when (!Stopping)
            {
                late = error;
            }
        }
        if (late != null)
        {
            throw late;
        }
    }

    // == Steps ==
    static readonly List<ConsumeResult<byte[], byte[]>> Batch =
        new List<ConsumeResult<byte[], byte[]>>();
    static IConsumerGroupMetadata Member;

    static void Main()
    {
        using (PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop))
        using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop))
        using (Producer = new ProducerBuilder<byte[], byte[]>(Writing).Build())
        using (Consumer = new ConsumerBuilder<byte[], byte[]>(Reading)
            .SetPartitionsAssignedHandler(Assigned)
            .SetPartitionsRevokedHandler(Revoked)
            .Build())
        {
            Producer.InitTransactions(TimeSpan.FromSeconds(60));
            Consumer.Subscribe(Source);
            try
            {
                while (!Stopping)
                {
                    Read();
                    if (Batch.Count > 0)
                    {
                        Settle();
                        Batch.Clear();
                    }
                }
            }
            finally
            {
                Consumer.Close();
            }
        }
    }

    // A partition without a position is new: start at its beginning.
    static IEnumerable<TopicPartitionOffset> Assigned(
        IConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions)
    {
        Member = consumer.ConsumerGroupMetadata;
        return consumer.Committed(partitions, TimeSpan.FromSeconds(60))
            .Select(p => new TopicPartitionOffset(
                p.TopicPartition,
                p.Offset == Offset.Unset ? Offset.Beginning : p.Offset))
            .ToList();
    }

    // Drops what was read: nothing of it is sent, the next owner reads it.
    static void Revoked(
        IConsumer<byte[], byte[]> consumer,
        List<TopicPartitionOffset> partitions)
    {
        Batch.Clear();
    }

    // Up to 500 records, within half a second; only here records arrive, and
    // only here partitions come and go. An error is an exception.
    static void Read()
    {
        var until = DateTime.UtcNow.AddSeconds(0.5);
        while (Batch.Count < 500 && DateTime.UtcNow < until)
        {
            var result = Consumer.Consume(TimeSpan.FromSeconds(0.1));
            if (result == null)
            {
                return;
            }
            Batch.Add(result);
        }
    }

    static Message<byte[], byte[]> Copy(ConsumeResult<byte[], byte[]> result)
    {
        return new Message<byte[], byte[]>
        {
            Key = result.Message.Key,
            Value = result.Message.Value,
            Headers = result.Message.Headers,
            Timestamp = new Timestamp(
                result.Message.Timestamp.UnixTimestampMs,
                TimestampType.CreateTime),
        };
    }

    // For each partition the offset after its last record in the batch.
    static List<TopicPartitionOffset> Positions()
    {
        return Batch.GroupBy(result => result.TopicPartition)
            .Select(group => new TopicPartitionOffset(
                group.Key, group.Last().Offset + 1))
            .ToList();
    }

    static void Settle()
    {
        Producer.BeginTransaction();
        try
        {
            foreach (var result in Batch)
            {
                Producer.Produce(Target, Copy(result));
            }
            var positions = Positions();
            Repeat(limit => Producer.SendOffsetsToTransaction(
                positions, Member, limit));
            Repeat(limit => Producer.CommitTransaction(limit));
        }
        catch (KafkaTxnRequiresAbortException)
        {
            Repeat(limit => Producer.AbortTransaction(limit));
            throw;
        }
    }
}
