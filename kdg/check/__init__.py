"""Owns what `kdg check` decides: which guarantee the configuration of a client, and a topic, really give. Pure.

reading      a configuration as one client reads it: client, producer or consumer, values, defaults
own          the readings of kdg's own TOML, as kdg itself would run it
appsettings  the readings in .NET's appsettings.json
frameworks   the readings in a configuration of Spring Boot or Quarkus
yamlfile     their YAML files as properties
finding      the shape of a finding and of a rule
producer     rules: what the settings of a producer lose or duplicate
consumer     rules: what the settings of a consumer lose or duplicate
rules        all findings about a reading
verdict      which guarantees the findings leave, and the fewest changes that reach one
page         the answer as a page
"""
