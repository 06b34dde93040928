using System.Text.Json;
using System.Text.Json.Serialization;
using EventMail.Protocols.Smtp.Faults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>/api/faults</summary>
internal sealed class FaultsResource(FaultTable faults)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/faults", ListAsync);
        routes.MapPost("/api/faults", AddAsync);
        routes.MapDelete("/api/faults", ClearAsync);
        routes.MapDelete("/api/faults/{id}", RemoveAsync);
    }

    private Task ListAsync(HttpContext context) =>
        CaptureApi.WriteAsync(context, new([.. faults.Rules.Select(FaultDocument.Of)]), CaptureJson.Plain.FaultListDocument);

    private async Task AddAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            await Problem.WriteAsync(context, StatusCodes.Status415UnsupportedMediaType, "The body is to be application/json");
            return;
        }
        FaultDocument? wanted;
        try
        {
            wanted = await context.Request.ReadFromJsonAsync(CaptureJson.Default.FaultDocument, context.RequestAborted);
        }
        catch (JsonException error)
        {
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, "The body is no fault", error.Message);
            return;
        }
        var why = $"stage is one of {string.Join(", ", Enum.GetNames<FaultStage>().Select(name => name.ToLowerInvariant()))}";
        if (wanted?.ToDefinition() is not { } definition || faults.Add(definition, out why) is not { } rule)
        {
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, "The body is no fault", why);
            return;
        }
        context.Response.Headers.Location = $"/api/faults/{rule.Id}";
        await CaptureApi.WriteAsync(context, FaultDocument.Of(rule), CaptureJson.Plain.FaultDocument, StatusCodes.Status201Created);
    }

    private Task ClearAsync(HttpContext context)
    {
        faults.Clear();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private Task RemoveAsync(HttpContext context)
    {
        if (!faults.Remove(context.Request.RouteValues["id"] as string ?? ""))
            return CaptureApi.NotFoundAsync(context, "fault");
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}

/// <summary>A fault on demand, as it is asked for and shown.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record FaultDocument
{
    public string? Id { get; init; }
    public string Stage { get; init; } = "";
    public string? Recipient { get; init; }
    public string? Sender { get; init; }
    public string? User { get; init; }
    public int? Code { get; init; }
    public string? Text { get; init; }

    /// <summary>Seconds.</summary>
    public double? Delay { get; init; }
    public bool? Drop { get; init; }
    public int? Count { get; init; }
    public int? Percent { get; init; }

    /// <summary>How often it will still strike; only shown.</summary>
    public int? Left { get; init; }

    public static FaultDocument Of(FaultRule rule) => new()
    {
        Id = rule.Id,
        Stage = rule.Stage.ToString().ToLowerInvariant(),
        Recipient = rule.Recipient,
        Sender = rule.Sender,
        User = rule.User,
        Code = rule.Reply?.Code,
        Text = rule.Reply?.Line[4..],
        Delay = rule.Delay > TimeSpan.Zero ? rule.Delay.TotalSeconds : null,
        Drop = rule.Drop ? true : null,
        Count = rule.Count,
        Percent = rule.Percent,
        Left = rule.Left,
    };

    /// <summary>Null when the stage is none.</summary>
    public FaultDefinition? ToDefinition() => !Enum.TryParse<FaultStage>(Stage, ignoreCase: true, out var stage) || !Enum.IsDefined(stage) ? null : new(stage)
    {
        Recipient = Recipient,
        Sender = Sender,
        User = User,
        Code = Code,
        Text = Text,
        Delay = TimeSpan.FromSeconds(Math.Clamp(Delay ?? 0, -1, 1e6)),
        Drop = Drop ?? false,
        Count = Count,
        Percent = Percent,
    };
}

internal sealed record FaultListDocument(IReadOnlyList<FaultDocument> Faults);
