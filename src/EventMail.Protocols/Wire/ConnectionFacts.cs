using System.Diagnostics;

namespace EventMail.Protocols.Wire;

/// <summary>What a session tells of itself, for lists of connections. Written by the session, read by others. Thread-safe.</summary>
public sealed class ConnectionFacts
{
    private readonly Lock _lock = new();
    private string? _reversePath;
    private List<string>? _recipients;
    private volatile string? _user;
    private Activity? _span;

    public DateTimeOffset Since { get; } = DateTimeOffset.UtcNow;

    /// <summary>Who has logged in.</summary>
    public string? User
    {
        get => _user;
        set => _user = value;
    }

    /// <summary>The mail transaction so far: its reverse-path, null while there is none, and the recipients that were accepted.</summary>
    public (string? ReversePath, IReadOnlyList<string> Recipients) Envelope
    {
        get
        {
            lock (_lock)
                return (_reversePath, _recipients is null ? [] : [.. _recipients]);
        }
    }

    public void BeginEnvelope(string reversePath)
    {
        lock (_lock)
        {
            (_reversePath, _recipients) = (reversePath, null);
            _span?.Dispose();
            _span = ProtocolSpans.Begin("smtp transaction");
        }
    }

    public void AddRecipient(string recipient)
    {
        lock (_lock)
            (_recipients ??= []).Add(recipient);
    }

    public void EndEnvelope()
    {
        lock (_lock)
        {
            _span?.SetTag("recipients", _recipients?.Count ?? 0);
            _span?.Dispose();
            (_reversePath, _recipients, _span) = (null, null, null);
        }
    }
}
