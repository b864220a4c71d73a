import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Says how Java itself reads configuration. One request a line on stdin, one answer a line on stdout, in words:
 *
 *     properties BASE64          the pairs that java.util.Properties reads in a text; or `refused`
 *     parse CLIENT NAME BASE64   what the definition of a client makes of a value; or `refused`
 *     jaas BASE64                the options that Kafka reads in sasl.jaas.config; or `refused`
 *     start CLIENT BASE64        `started`, or `refused BASE64` with the reason
 *     names CLIENT               each name of a client's definition, its type, its default and its validator
 *
 * CLIENT is producer, consumer or admin. Texts go through Base64, so that a line is a line.
 */
public class Reader {
    private static final Map<String, ConfigDef> CLIENTS = Map.of(
            "producer", ProducerConfig.configDef(),
            "consumer", ConsumerConfig.configDef(),
            "admin", AdminClientConfig.configDef());

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ", -1);
            try {
                out.println(answer(words));
            } catch (RuntimeException refused) {
                out.println("refused");
            }
        }
    }

    private static String answer(String[] words) throws Exception {
        switch (words[0]) {
            case "properties":
                return properties(text(words[1]));
            case "parse":
                ConfigDef.ConfigKey key = CLIENTS.get(words[1]).configKeys().get(words[2]);
                Object parsed = ConfigDef.parseType(key.name, text(words[3]), key.type);
                if (key.validator != null) {
                    key.validator.ensureValid(key.name, parsed);
                }
                return base64(ConfigDef.convertToString(parsed, key.type));
            case "jaas":
                return jaas(text(words[1]));
            case "names":
                return names(CLIENTS.get(words[1]));
            case "start":
                return start(words[1], text(words[2]));
            default:
                throw new IllegalStateException(words[0]);
        }
    }

    private static String properties(String text) throws Exception {
        Properties read = new Properties();
        read.load(new StringReader(text));
        StringBuilder answer = new StringBuilder();
        for (String name : read.stringPropertyNames()) {
            answer.append(base64(name)).append(':').append(base64(read.getProperty(name))).append(' ');
        }
        return answer.toString();
    }

    /** Creates a client that reaches no broker. Properties are pairs in Base64, as in the answer of `properties`. */
    private static String start(String client, String pairs) {
        Map<String, Object> given = new HashMap<>();
        given.put("bootstrap.servers", "127.0.0.1:1");
        for (String side : List.of("key", "value")) {
            given.put(side + ".serializer", ByteArraySerializer.class.getName());
            given.put(side + ".deserializer", ByteArrayDeserializer.class.getName());
        }
        for (String pair : pairs.isEmpty() ? new String[0] : pairs.split(" ")) {
            String[] parts = pair.split(":", -1);
            given.put(text(parts[0]), text(parts[1]));
        }
        try {
            if (client.equals("producer")) {
                new KafkaProducer<byte[], byte[]>(given).close(Duration.ZERO);
            } else {
                new KafkaConsumer<byte[], byte[]>(given).close(CloseOptions.timeout(Duration.ZERO));
            }
            return "started";
        } catch (KafkaException refused) {
            Throwable why = refused.getCause() == null ? refused : refused.getCause();
            return "refused " + base64("" + why.getMessage());
        }
    }

    private static String jaas(String text) {
        Map<String, Object> given = Map.of("sasl.jaas.config", new Password(text));
        Map<String, ?> options = JaasContext.loadClientContext(given).configurationEntries().get(0).getOptions();
        StringBuilder answer = new StringBuilder();
        options.forEach((name, value) -> answer.append(base64(name)).append(':').append(base64("" + value)).append(' '));
        return answer.toString();
    }

    private static String names(ConfigDef definition) {
        StringBuilder answer = new StringBuilder();
        for (Map.Entry<String, ConfigDef.ConfigKey> each : new TreeMap<>(definition.configKeys()).entrySet()) {
            ConfigDef.ConfigKey key = each.getValue();
            Object value = key.hasDefault() ? key.defaultValue : null;
            String shown = value == null ? "null" : ConfigDef.convertToString(value, key.type);
            answer.append(key.name).append(':').append(key.type).append(':').append(base64(shown));
            answer.append(':').append(base64("" + key.validator)).append(' ');
        }
        return answer.toString();
    }

    /** UTF-16, so that half of a surrogate pair survives. */
    private static String base64(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_16BE));
    }

    private static String text(String encoded) {
        return new String(Base64.getDecoder().decode(encoded), StandardCharsets.UTF_16BE);
    }
}
