"""kdg's reading of Java's configuration, beside Java itself: java.util.Properties and Kafka's own definitions."""
