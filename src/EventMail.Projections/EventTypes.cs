using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.ApiKeys;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Projections.Reading;
using EventMail.Projections.Reception;
using EventMail.Projections.Retention;
using EventMail.Projections.Verification;
using EventMail.Projections.Webhooks;

namespace EventMail.Projections;

/// <summary>Every event type of the log under its alias: the one registry. docs/events.md is checked against it.</summary>
public static class EventTypes
{
    public static EventTypeMap Create()
    {
        var map = new EventTypeMap().RegisterMailboxEvents().RegisterMetadataEvents().RegisterDeliveryEvents().RegisterReceptionEvents().RegisterReadingEvents().RegisterApiKeyEvents().RegisterWebhookEvents()
            .RegisterRetentionEvents().RegisterReadModelEvents().RegisterLogAuditEvents();
        AccountEventTypes.Register(map);
        PersonalFields.Seal(map);
        return map;
    }
}
