using System.Text.Json;
using EventMail.EventStore.Observations;

namespace EventMail.Protocols.TransportSecurity;

/// <summary>A policy that was fetched, and until when it holds.</summary>
internal sealed record HeldPolicy(string Domain, TransportPolicy Policy, DateTimeOffset Fetched)
{
    private sealed record Stored(string Id, string Mode, IReadOnlyList<string> Mx, long MaxAge);

    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public DateTimeOffset Until => Fetched + Policy.MaxAge;

    public Observation ToObservation() => new(
        Domain, JsonSerializer.Serialize(new Stored(Policy.Id, $"{Policy.Mode}", Policy.Mx, (long)Policy.MaxAge.TotalSeconds), Json), Fetched, Until);

    public static HeldPolicy Of(Observation observation)
    {
        var stored = JsonSerializer.Deserialize<Stored>(observation.Value, Json)!;
        return new(
            observation.Name, new(stored.Id, Enum.Parse<MtaStsMode>(stored.Mode), stored.Mx, TimeSpan.FromSeconds(stored.MaxAge)), observation.Seen);
    }
}
