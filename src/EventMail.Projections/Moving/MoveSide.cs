using EventMail.EventStore;
using EventMail.Projections.Retention;
using EventMail.Projections.Webhooks;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Moving;

/// <summary>One of the two databases of a move.</summary>
/// <param name="Name">What its server is called: the other side's log names it.</param>
public sealed record MoveSide(EventLog Log, Directory Directory, RetentionBook Retention, ErasureService Erasures, WebhookService Webhooks, string Name);
