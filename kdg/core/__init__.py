"""The table of guarantees, the cycle, the loop that performs it, the ports it runs on, and the model of crashes. No Kafka here."""
