using System.Net;
using EventMail.Host.Configuration;
using EventMail.Host.Delivery;
using EventMail.Host.Delivery.Attempts;
using EventMail.Host.Delivery.Routing;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>Composes the delivery agent.</summary>
internal static class DeliveryAgents
{
    /// <summary>Null when Delivery:Enabled is false.</summary>
    /// <param name="listeners">Where this server takes mail from others.</param>
    /// <exception cref="SettingsException">An address of the section Delivery is none.</exception>
    public static DeliveryAgent? Start(HostSettings settings, MailStore store, NameServices names, IReadOnlyList<IPEndPoint> listeners, ILoggerFactory logs)
    {
        var delivery = settings.Delivery;
        if (!delivery.Enabled)
            return null;
        var time = TimeProvider.System;
        var log = logs.CreateLogger("EventMail.Delivery");
        var client = new ClientSettings(delivery, settings.EffectiveHostname);
        var published = ClientSettings.Addresses("Delivery:OwnAddresses", delivery.OwnAddresses).ToHashSet();
        string[] ownNames = [.. new[] { settings.EffectiveHostname, client.HelloName }.Distinct(StringComparer.OrdinalIgnoreCase)];
        var own = new OwnAddresses(ownNames, listeners, published, delivery.Reachable(), OwnAddresses.OfThisMachine(time));
        return DeliveryAgent.Start(store.Deliveries, new()
        {
            Settings = delivery,
            Router = new(names.Dns, delivery, own, Random.Shared),
            Ladder = new(delivery, names.Dane, names.Policies.ForAsync, log),
            Own = own,
            Connections = new(delivery.ReuseTimeout, delivery.Concurrency, time),
            Client = client,
            Contents = store.Log.Contents,
            Log = log,
            Time = time,
        });
    }
}
