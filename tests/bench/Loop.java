import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The exactly-once copy as one writes it in Java, the peer of `kdg pipe -g exactly-once`: poll, send, sendOffsetsToTransaction,
 * commitTransaction, with the client's defaults for batches. It ends when it has copied `total` records.
 *
 * Arguments: bootstrap, source, target, group, records a transaction, total.
 */
public final class Loop {
    public static void main(String[] arguments) {
        String group = arguments[3];
        long size = Long.parseLong(arguments[4]);
        long total = Long.parseLong(arguments[5]);

        Properties reading = new Properties();
        reading.put("bootstrap.servers", arguments[0]);
        reading.put("group.id", group);
        reading.put("enable.auto.commit", "false");
        reading.put("auto.offset.reset", "earliest");
        reading.put("isolation.level", "read_committed");

        Properties writing = new Properties();
        writing.put("bootstrap.servers", arguments[0]);
        writing.put("transactional.id", group);

        try (KafkaConsumer<byte[], byte[]> consumer =
                        new KafkaConsumer<>(reading, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(writing, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            consumer.subscribe(List.of(arguments[1]));
            for (long copied = 0; copied < total; ) {
                copied += copy(consumer, producer, arguments[2], Math.min(size, total - copied));
            }
        }
    }

    /** One transaction of at least `size` records; returns how many it was. */
    private static long copy(
            KafkaConsumer<byte[], byte[]> consumer, KafkaProducer<byte[], byte[]> producer, String target, long size) {
        Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
        long sent = 0;
        producer.beginTransaction();
        while (sent < size) {
            ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(100));
            for (ConsumerRecord<byte[], byte[]> record : records) {
                producer.send(new ProducerRecord<>(
                        target, null, record.timestamp(), record.key(), record.value(), record.headers()));
            }
            positions.putAll(records.nextOffsets());
            sent += records.count();
        }
        producer.sendOffsetsToTransaction(positions, consumer.groupMetadata());
        producer.commitTransaction();
        return sent;
    }
}
