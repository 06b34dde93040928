using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth;
using EventMail.Protocols.Smtp;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>One milter as it is configured: where it is, and where it learns clients' names. Thread-safe.</summary>
/// <param name="names">Whom clients' names are asked of; null: milters are told addresses alone.</param>
internal sealed class MilterPeer(string name, Func<CancellationToken, ValueTask<Stream>> connect, IDnsSource? names)
{
    private static readonly TimeSpan NameTimeout = TimeSpan.FromSeconds(5);

    /// <summary>As in the settings.</summary>
    public string Name { get; } = name;

    public async ValueTask<Stream> ConnectAsync(TimeSpan limit, CancellationToken cancel)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        time.CancelAfter(limit);
        return await connect(time.Token).ConfigureAwait(false);
    }

    /// <summary>The name that leads back to the client (iprev); of our users' machines it is not asked.</summary>
    public async ValueTask<string?> NameOfAsync(SmtpEnvelope envelope, CancellationToken cancel)
    {
        if (names is null || envelope.Account is not null)
            return null;
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        time.CancelAfter(NameTimeout);
        try
        {
            return (await ReverseNameCheck.RunAsync(names, envelope.Client.Address, time.Token).ConfigureAwait(false)).Name;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
    }
}
