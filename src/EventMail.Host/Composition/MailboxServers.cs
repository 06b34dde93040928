using EventMail.Host.Cli;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;
using EventMail.Projections.Metadata;
using EventMail.Projections.Reading;
using EventMail.Projections.SearchText;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Pop3;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>What IMAP and POP3 work with: the same whoever is let in.</summary>
internal static class MailboxServers
{
    public static ImapServices Imap(
        HostContext host, MailStore store, MetadataService metadata, MessageSummaries summaries, SearchTextIndex? searchText,
        Authenticator authenticator, CommandRateLimiter? limiter, ReadAudit? reads) => new()
        {
            Mailboxes = store.Mailboxes,
            Metadata = metadata,
            Directory = store.Directory,
            Accounts = store.Accounts,
            Summaries = summaries,
            Contents = store.Log.Contents,
            SearchText = searchText,
            Reads = reads,
            Authenticator = authenticator,
            RateLimiter = limiter,
            Log = host.Logs.CreateLogger("EventMail.Imap"),
            Node = Environment.MachineName,
            Version = VersionCommand.Version,
            Unauthenticate = host.Settings.Imap.Unauthenticate,
            Limits = ProtocolLimits.Of(host.Settings.Imap),
        };

    public static Pop3Services Pop3(
        HostContext host, MailStore store, MaildropLocks locks, Authenticator authenticator, CommandRateLimiter limiter, ReadAudit? reads) => new(
            authenticator, new(store.Log, store.Mailboxes, locks), store.Log.Contents, limiter,
            ProtocolLimits.Of(host.Settings.Pop3, host.Settings.EffectiveHostname), Environment.MachineName,
            host.Logs.CreateLogger("EventMail.Pop3"))
        {
            Reads = reads,
        };
}
