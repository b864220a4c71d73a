// The table of Confluent.Kafka's public names, members and signatures: every property of its configurations, and what a
// program that copies a topic may use. The programs of `kdg explain --client dotnet` are compiled against it.
//
// Source: github.com/confluentinc/confluent-kafka-dotnet, commit f96837a9cc47b1e51cb66ef5b4e80660c33535c6 (after
// 2.15.0), src/Confluent.Kafka: Config_gen.cs, IClient.cs, IConsumer.cs, IProducer.cs, ConsumerBuilder.cs,
// ProducerBuilder.cs, and one file for each of the other types. Copyright Confluent Inc. and Andreas Heider, Apache-2.0.
// Bodies and comments are left out. PosixSignalRegistration is of .NET 6; older compilers do not have it.
#pragma warning disable

using System;
using System.Collections;
using System.Collections.Generic;

namespace Confluent.Kafka
{
    public enum Partitioner { Random, Consistent, ConsistentRandom, Murmur2, Murmur2Random }
    public enum AutoOffsetReset { Latest, Earliest, Error }
    public enum MetadataRecoveryStrategy { None, Rebootstrap }
    public enum BrokerAddressFamily { Any, V4, V6 }
    public enum SecurityProtocol { Plaintext, Ssl, SaslPlaintext, SaslSsl }
    public enum SslEndpointIdentificationAlgorithm { None, Https }
    public enum SaslOauthbearerMethod { Default, Oidc }
    public enum SaslOauthbearerGrantType { ClientCredentials, JwtBearer }
    public enum SaslOauthbearerAssertionAlgorithm { RS256, ES256 }
    public enum SaslOauthbearerMetadataAuthenticationType { None, AzureIMDS, AwsIam }
    public enum PartitionAssignmentStrategy { Range, RoundRobin, CooperativeSticky }
    public enum GroupProtocol { Classic, Consumer }
    public enum IsolationLevel { ReadUncommitted, ReadCommitted }
    public enum CompressionType { None, Gzip, Snappy, Lz4, Zstd }
    public enum ClientDnsLookup { UseAllDnsIps, ResolveCanonicalBootstrapServersOnly }
    public enum SaslMechanism { Gssapi, Plain, ScramSha256, ScramSha512, OAuthBearer }
    public enum Acks { None = 0, Leader = 1, All = -1 }
    public enum PersistenceStatus { NotPersisted = 0, PossiblyPersisted = 1, Persisted = 2 }
    public enum TimestampType { NotAvailable = 0, CreateTime = 1, LogAppendTime = 2 }
    public enum ErrorCode { NoError = 0 }

    public class Config : IEnumerable<KeyValuePair<string, string>>
    {
        public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => throw null;
        IEnumerator IEnumerable.GetEnumerator() => throw null;
    }

    public class ClientConfig : Config
    {
        public Acks? Acks { get; set; }
        public bool? AllowAutoCreateTopics { get; set; }
        public int? ApiVersionFallbackMs { get; set; }
        public bool? ApiVersionRequest { get; set; }
        public int? ApiVersionRequestTimeoutMs { get; set; }
        public string BootstrapServers { get; set; }
        public BrokerAddressFamily? BrokerAddressFamily { get; set; }
        public int? BrokerAddressTtl { get; set; }
        public string BrokerVersionFallback { get; set; }
        public ClientDnsLookup? ClientDnsLookup { get; set; }
        public string ClientId { get; set; }
        public string ClientRack { get; set; }
        public int? ConnectionsMaxIdleMs { get; set; }
        public string Debug { get; set; }
        public bool? EnableMetricsPush { get; set; }
        public bool? EnableRandomSeed { get; set; }
        public bool? EnableSaslOauthbearerUnsecureJwt { get; set; }
        public bool? EnableSslCertificateVerification { get; set; }
        public string HttpsCaLocation { get; set; }
        public string HttpsCaPem { get; set; }
        public int? InternalTerminationSignal { get; set; }
        public bool? LogConnectionClose { get; set; }
        public bool? LogQueue { get; set; }
        public bool? LogThreadName { get; set; }
        public int? MaxInFlight { get; set; }
        public int? MessageCopyMaxBytes { get; set; }
        public int? MessageMaxBytes { get; set; }
        public int? MetadataMaxAgeMs { get; set; }
        public int? MetadataRecoveryRebootstrapTriggerMs { get; set; }
        public MetadataRecoveryStrategy? MetadataRecoveryStrategy { get; set; }
        public string PluginLibraryPaths { get; set; }
        public int? ReceiveMessageMaxBytes { get; set; }
        public int? ReconnectBackoffMaxMs { get; set; }
        public int? ReconnectBackoffMs { get; set; }
        public int? RetryBackoffMaxMs { get; set; }
        public int? RetryBackoffMs { get; set; }
        public string SaslKerberosKeytab { get; set; }
        public string SaslKerberosKinitCmd { get; set; }
        public int? SaslKerberosMinTimeBeforeRelogin { get; set; }
        public string SaslKerberosPrincipal { get; set; }
        public string SaslKerberosServiceName { get; set; }
        public SaslMechanism? SaslMechanism { get; set; }
        public SaslOauthbearerAssertionAlgorithm? SaslOauthbearerAssertionAlgorithm { get; set; }
        public string SaslOauthbearerAssertionClaimAud { get; set; }
        public int? SaslOauthbearerAssertionClaimExpSeconds { get; set; }
        public string SaslOauthbearerAssertionClaimIss { get; set; }
        public bool? SaslOauthbearerAssertionClaimJtiInclude { get; set; }
        public int? SaslOauthbearerAssertionClaimNbfSeconds { get; set; }
        public string SaslOauthbearerAssertionClaimSub { get; set; }
        public string SaslOauthbearerAssertionFile { get; set; }
        public string SaslOauthbearerAssertionJwtTemplateFile { get; set; }
        public string SaslOauthbearerAssertionPrivateKeyFile { get; set; }
        public string SaslOauthbearerAssertionPrivateKeyPassphrase { get; set; }
        public string SaslOauthbearerAssertionPrivateKeyPem { get; set; }
        public string SaslOauthbearerClientId { get; set; }
        public string SaslOauthbearerClientSecret { get; set; }
        public string SaslOauthbearerConfig { get; set; }
        public string SaslOauthbearerExtensions { get; set; }
        public SaslOauthbearerGrantType? SaslOauthbearerGrantType { get; set; }
        public SaslOauthbearerMetadataAuthenticationType? SaslOauthbearerMetadataAuthenticationType { get; set; }
        public SaslOauthbearerMethod? SaslOauthbearerMethod { get; set; }
        public string SaslOauthbearerScope { get; set; }
        public string SaslOauthbearerSubClaimName { get; set; }
        public string SaslOauthbearerTokenEndpointUrl { get; set; }
        public string SaslPassword { get; set; }
        public string SaslUsername { get; set; }
        public SecurityProtocol? SecurityProtocol { get; set; }
        public int? SocketConnectionSetupTimeoutMs { get; set; }
        public bool? SocketKeepaliveEnable { get; set; }
        public int? SocketMaxFails { get; set; }
        public bool? SocketNagleDisable { get; set; }
        public int? SocketReceiveBufferBytes { get; set; }
        public int? SocketSendBufferBytes { get; set; }
        public int? SocketTimeoutMs { get; set; }
        public string SslCaCertificateStores { get; set; }
        public string SslCaLocation { get; set; }
        public string SslCaPem { get; set; }
        public string SslCertificateLocation { get; set; }
        public string SslCertificatePem { get; set; }
        public string SslCipherSuites { get; set; }
        public string SslCrlLocation { get; set; }
        public string SslCurvesList { get; set; }
        public SslEndpointIdentificationAlgorithm? SslEndpointIdentificationAlgorithm { get; set; }
        public string SslEngineId { get; set; }
        public string SslEngineLocation { get; set; }
        public string SslKeyLocation { get; set; }
        public string SslKeyPassword { get; set; }
        public string SslKeyPem { get; set; }
        public string SslKeystoreLocation { get; set; }
        public string SslKeystorePassword { get; set; }
        public string SslProviders { get; set; }
        public string SslSigalgsList { get; set; }
        public int? StatisticsIntervalMs { get; set; }
        public string TopicBlacklist { get; set; }
        public int? TopicMetadataPropagationMaxMs { get; set; }
        public int? TopicMetadataRefreshFastIntervalMs { get; set; }
        public int? TopicMetadataRefreshIntervalMs { get; set; }
        public bool? TopicMetadataRefreshSparse { get; set; }
    }

    public class ProducerConfig : ClientConfig
    {
        public int? BatchNumMessages { get; set; }
        public int? BatchSize { get; set; }
        public int? CompressionLevel { get; set; }
        public CompressionType? CompressionType { get; set; }
        public string DeliveryReportFields { get; set; }
        public bool? EnableBackgroundPoll { get; set; }
        public bool? EnableDeliveryReports { get; set; }
        public bool? EnableGaplessGuarantee { get; set; }
        public bool? EnableIdempotence { get; set; }
        public double? LingerMs { get; set; }
        public int? MessageSendMaxRetries { get; set; }
        public int? MessageTimeoutMs { get; set; }
        public Partitioner? Partitioner { get; set; }
        public int? QueueBufferingBackpressureThreshold { get; set; }
        public int? QueueBufferingMaxKbytes { get; set; }
        public int? QueueBufferingMaxMessages { get; set; }
        public int? RequestTimeoutMs { get; set; }
        public int? StickyPartitioningLingerMs { get; set; }
        public int? TransactionTimeoutMs { get; set; }
        public string TransactionalId { get; set; }
    }

    public class ConsumerConfig : ClientConfig
    {
        public int? AutoCommitIntervalMs { get; set; }
        public AutoOffsetReset? AutoOffsetReset { get; set; }
        public bool? CheckCrcs { get; set; }
        public int? CoordinatorQueryIntervalMs { get; set; }
        public bool? EnableAutoCommit { get; set; }
        public bool? EnableAutoOffsetStore { get; set; }
        public bool? EnablePartitionEof { get; set; }
        public int? FetchErrorBackoffMs { get; set; }
        public int? FetchMaxBytes { get; set; }
        public int? FetchMinBytes { get; set; }
        public int? FetchQueueBackoffMs { get; set; }
        public int? FetchWaitMaxMs { get; set; }
        public string GroupId { get; set; }
        public string GroupInstanceId { get; set; }
        public GroupProtocol? GroupProtocol { get; set; }
        public string GroupProtocolType { get; set; }
        public string GroupRemoteAssignor { get; set; }
        public int? HeartbeatIntervalMs { get; set; }
        public IsolationLevel? IsolationLevel { get; set; }
        public int? MaxPartitionFetchBytes { get; set; }
        public int? MaxPollIntervalMs { get; set; }
        public int? MaxPollRecords { get; set; }
        public PartitionAssignmentStrategy? PartitionAssignmentStrategy { get; set; }
        public int? QueuedMaxMessagesKbytes { get; set; }
        public int? QueuedMinMessages { get; set; }
        public int? SessionTimeoutMs { get; set; }
        public string ShareAcknowledgementMode { get; set; }
    }

    public struct Offset
    {
        public static readonly Offset Beginning, End, Stored, Unset;
        public Offset(long offset) => throw null;
        public long Value { get => throw null; }
        public static bool operator ==(Offset a, Offset b) => throw null;
        public static bool operator !=(Offset a, Offset b) => throw null;
        public static Offset operator +(Offset a, int b) => throw null;
        public static Offset operator +(Offset a, long b) => throw null;
        public static implicit operator Offset(long v) => throw null;
        public static implicit operator long(Offset o) => throw null;
    }

    public struct Partition
    {
        public static readonly Partition Any;
        public int Value { get => throw null; }
        public static implicit operator Partition(int v) => throw null;
        public static implicit operator int(Partition o) => throw null;
    }

    public class TopicPartition
    {
        public TopicPartition(string topic, Partition partition) => throw null;
        public string Topic { get => throw null; }
        public Partition Partition { get => throw null; }
    }

    public class TopicPartitionOffset
    {
        public TopicPartitionOffset(TopicPartition tp, Offset offset) => throw null;
        public TopicPartitionOffset(string topic, Partition partition, Offset offset) => throw null;
        public string Topic { get => throw null; }
        public Partition Partition { get => throw null; }
        public Offset Offset { get => throw null; }
        public int? LeaderEpoch { get => throw null; }
        public TopicPartition TopicPartition { get => throw null; }
    }

    public struct Timestamp
    {
        public Timestamp(long unixTimestampMs, TimestampType type) => throw null;
        public TimestampType Type { get => throw null; }
        public long UnixTimestampMs { get => throw null; }
    }

    public class Headers
    {
    }

    public class MessageMetadata
    {
        public Timestamp Timestamp { get; set; }
        public Headers Headers { get; set; }
    }

    public class Message<TKey, TValue> : MessageMetadata
    {
        public TKey Key { get; set; }
        public TValue Value { get; set; }
    }

    public class ConsumeResult<TKey, TValue>
    {
        public string Topic { get; set; }
        public Partition Partition { get; set; }
        public Offset Offset { get; set; }
        public int? LeaderEpoch { get; set; }
        public TopicPartition TopicPartition { get => throw null; }
        public TopicPartitionOffset TopicPartitionOffset { get => throw null; set => throw null; }
        public Message<TKey, TValue> Message { get; set; }
        public bool IsPartitionEOF { get; set; }
    }

    public class DeliveryResult<TKey, TValue>
    {
        public TopicPartitionOffset TopicPartitionOffset { get => throw null; set => throw null; }
        public PersistenceStatus Status { get; set; }
        public Message<TKey, TValue> Message { get; set; }
    }

    public class DeliveryReport<TKey, TValue> : DeliveryResult<TKey, TValue>
    {
        public Error Error { get; set; }
    }

    public class Error
    {
        public Error(ErrorCode code) => throw null;
        public Error(ErrorCode code, string reason) => throw null;
        public ErrorCode Code { get => throw null; }
        public bool IsFatal { get => throw null; }
        public string Reason { get => throw null; }
        public bool IsError { get => throw null; }
    }

    public class KafkaException : Exception
    {
        public KafkaException(Error error) => throw null;
        public KafkaException(ErrorCode code) => throw null;
        public Error Error { get => throw null; }
    }

    public class KafkaRetriableException : KafkaException
    {
        public KafkaRetriableException(Error error) : base(error) => throw null;
    }

    public class KafkaTxnRequiresAbortException : KafkaException
    {
        public KafkaTxnRequiresAbortException(Error error) : base(error) => throw null;
    }

    public interface IConsumerGroupMetadata
    {
    }

    public interface IClient : IDisposable
    {
        string Name { get; }
    }

    public interface IConsumer<TKey, TValue> : IClient
    {
        ConsumeResult<TKey, TValue> Consume(int millisecondsTimeout);
        ConsumeResult<TKey, TValue> Consume(TimeSpan timeout);
        List<TopicPartition> Assignment { get; }
        IConsumerGroupMetadata ConsumerGroupMetadata { get; }
        void Subscribe(IEnumerable<string> topics);
        void Subscribe(string topic);
        void Assign(IEnumerable<TopicPartitionOffset> partitions);
        List<TopicPartitionOffset> Commit();
        void Commit(IEnumerable<TopicPartitionOffset> offsets);
        void Commit(ConsumeResult<TKey, TValue> result);
        void Seek(TopicPartitionOffset tpo);
        List<TopicPartitionOffset> Committed(TimeSpan timeout);
        List<TopicPartitionOffset> Committed(IEnumerable<TopicPartition> partitions, TimeSpan timeout);
        Offset Position(TopicPartition partition);
        void Close();
    }

    public interface IProducer<TKey, TValue> : IClient
    {
        void Produce(
            string topic,
            Message<TKey, TValue> message,
            Action<DeliveryReport<TKey, TValue>> deliveryHandler = null);
        int Flush(TimeSpan timeout);
        void InitTransactions(TimeSpan timeout);
        void BeginTransaction();
        void CommitTransaction(TimeSpan timeout);
        void CommitTransaction();
        void AbortTransaction(TimeSpan timeout);
        void AbortTransaction();
        void SendOffsetsToTransaction(
            IEnumerable<TopicPartitionOffset> offsets, IConsumerGroupMetadata groupMetadata, TimeSpan timeout);
    }

    public class ConsumerBuilder<TKey, TValue>
    {
        public ConsumerBuilder(IEnumerable<KeyValuePair<string, string>> config) => throw null;
        public ConsumerBuilder<TKey, TValue> SetPartitionsAssignedHandler(
            Func<IConsumer<TKey, TValue>, List<TopicPartition>, IEnumerable<TopicPartitionOffset>> handler) => throw null;
        public ConsumerBuilder<TKey, TValue> SetPartitionsAssignedHandler(
            Action<IConsumer<TKey, TValue>, List<TopicPartition>> partitionAssignmentHandler) => throw null;
        public ConsumerBuilder<TKey, TValue> SetPartitionsRevokedHandler(
            Func<IConsumer<TKey, TValue>, List<TopicPartitionOffset>, IEnumerable<TopicPartitionOffset>> handler)
            => throw null;
        public ConsumerBuilder<TKey, TValue> SetPartitionsRevokedHandler(
            Action<IConsumer<TKey, TValue>, List<TopicPartitionOffset>> partitionsRevokedHandler) => throw null;
        public virtual IConsumer<TKey, TValue> Build() => throw null;
    }

    public class ProducerBuilder<TKey, TValue>
    {
        public ProducerBuilder(IEnumerable<KeyValuePair<string, string>> config) => throw null;
        public virtual IProducer<TKey, TValue> Build() => throw null;
    }
}

namespace System.Runtime.InteropServices
{
    public enum PosixSignal { SIGTERM = -4, SIGINT = -2 }

    public sealed class PosixSignalContext
    {
        public bool Cancel { get; set; }
    }

    public sealed class PosixSignalRegistration : IDisposable
    {
        public static PosixSignalRegistration Create(PosixSignal signal, Action<PosixSignalContext> handler)
            => throw null;
        public void Dispose() => throw null;
    }
}
