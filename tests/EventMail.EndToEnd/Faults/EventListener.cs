using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace EventMail.EndToEnd.Faults;

/// <summary>A reader of the log's event stream who comes back where it was whenever it is cut off, as browsers do.</summary>
internal sealed class EventListener(IPEndPoint http, string key)
{
    private readonly List<long> _positions = [];
    private string? _last;

    /// <summary>How often it had to come back.</summary>
    public int Returns { get; private set; }

    /// <summary>Every position that it was told, in that order.</summary>
    public IReadOnlyList<long> Positions
    {
        get
        {
            lock (_positions)
            {
                return [.. _positions];
            }
        }
    }

    public async Task RunAsync(CancellationToken stop)
    {
        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        for (; !stop.IsCancellationRequested; Returns++)
        {
            try
            {
                await ReadAsync(client, stop);
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is HttpRequestException or IOException)
            {
                // The server's database is away: it comes back.
            }

            await Task.WhenAny(Task.Delay(50, stop));
        }
    }

    private async Task ReadAsync(HttpClient client, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{http}/api/v1/events?after=0");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (_last is not null)
        {
            request.Headers.Add("Last-Event-ID", _last);
        }

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        answer.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(stop));
        string? id = null;
        long? position = null;
        while (await lines.ReadLineAsync(stop) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line["id: ".Length..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                position = (long)JsonNode.Parse(line["data: ".Length..])!["position"]!;
            }
            else if (line.Length == 0 && id is not null)
            {
                // What is whole counts: the rest is told again.
                _last = id;
                if (position is { } told)
                {
                    lock (_positions)
                    {
                        _positions.Add(told);
                    }
                }

                position = null;
            }
        }
    }
}
