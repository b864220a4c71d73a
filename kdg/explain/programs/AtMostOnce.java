import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Copies a topic at most once: a record may be lost, none is duplicated.
 *
 * <p>The position is committed first, and the records are sent afterwards,
 * without a retry. Any error ends the program; start it again, and it goes on
 * at the committed position.
 *
 * <p>kdg verify -g at-most-once -- java -cp 'JARS/*' AtMostOnce.java
 */
public final class AtMostOnce implements ConsumerRebalanceListener {
    static final String BROKERS = System.getenv("KDG_BROKERS");
    static final String GROUP = System.getenv("KDG_GROUP");
    static final String SOURCE = System.getenv("KDG_SOURCE");
    static final String TARGET = System.getenv("KDG_TARGET");

    // == Configuration ==
    static Map<String, Object> reading() {
        return Map.of(
                "bootstrap.servers", BROKERS,
                "group.id", GROUP,
                "isolation.level", "read_committed",
                "enable.auto.commit", false,
                "auto.offset.reset", "none",
                "session.timeout.ms", 6000);
    }

    static Map<String, Object> writing() {
        return Map.of(
                "bootstrap.servers", BROKERS,
                "acks", "0",
                "enable.idempotence", false,
                "retries", 0);
    }

    // == Start ==
    final KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
            reading(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    final KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
            writing(), new ByteArraySerializer(), new ByteArraySerializer());
    volatile boolean stopping;

    public static void main(String[] arguments) {
        var program = new AtMostOnce();
        var main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            program.stopping = true;
            try {
                main.join();
            } catch (InterruptedException ignored) {
                Thread.currentThread().interrupt();
            }
        }));
        program.run();
    }

    // == Steps ==
    void run() {
        try (consumer; producer) {
            consumer.subscribe(List.of(SOURCE), this);
            while (!stopping) {
                var records = consumer.poll(Duration.ofMillis(100));
                if (!records.isEmpty()) {
                    settle(records);
                }
            }
        }
    }

    /** A partition without a position is new: start at its beginning. */
    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        var committed = consumer.committed(new HashSet<>(partitions));
        for (var partition : partitions) {
            if (committed.get(partition) == null) {
                consumer.seekToBeginning(List.of(partition));
            }
        }
    }

    /** Called in poll() alone: there nothing is open, nothing is to settle. */
    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}

    ProducerRecord<byte[], byte[]> copy(ConsumerRecord<byte[], byte[]> record) {
        return new ProducerRecord<>(
                TARGET,
                null,
                record.timestamp(),
                record.key(),
                record.value(),
                record.headers());
    }

    void settle(ConsumerRecords<byte[], byte[]> records) {
        consumer.commitSync(records.nextOffsets());
        for (var record : records) {
            producer.send(copy(record));
        }
        producer.flush();
    }
}
