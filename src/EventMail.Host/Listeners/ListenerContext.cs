using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Listeners;

/// <summary>What all listeners share.</summary>
internal sealed record ListenerContext(ServerTls? Tls, bool AllowPlaintextLogin, bool FromAnywhere, ILogger Log, WireTraces Traces, CancellationToken Stopping);
