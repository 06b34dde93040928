using EventMail.Host.Configuration;
using EventMail.Host.Tls;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>What the services stand on: the settings, the running database, the certificates, the logs.</summary>
public sealed record HostContext(HostSettings Settings, HostDatabase Database, ServerCertificates Certificates, ILoggerFactory Logs);
