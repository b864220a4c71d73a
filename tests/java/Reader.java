import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;

/**
 * Says how Java itself reads configuration. One request a line on stdin, one answer a line on stdout, in words:
 *
 *     properties BASE64          the pairs that java.util.Properties reads in a text; or `refused`
 *     parse CLIENT NAME BASE64   what the definition of a client makes of a value; or `refused`
 *     jaas BASE64                the options that Kafka reads in sasl.jaas.config; or `refused`
 *     names CLIENT               each name of a client's definition, its type and its default
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
            String shown = value instanceof List ? ConfigDef.convertToString(value, ConfigDef.Type.LIST) : "" + value;
            answer.append(key.name).append(':').append(key.type).append(':').append(base64(shown)).append(' ');
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
