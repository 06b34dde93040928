using EventMail.EventStore;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Building;

/// <summary>The generations of a test's database, worked on beside its node.</summary>
internal static class TestGenerations
{
    /// <param name="models">Null: all.</param>
    public static Generations Of(TestMail mail, Func<GenerationOptions, GenerationOptions>? with = null, IReadOnlyList<IReadModel>? models = null)
    {
        models ??= ReadModels.All(NullLoggerFactory.Instance);
        foreach (var follower in models.OfType<IAsyncProjection>())
            follower.Join(mail.Log);
        var options = new GenerationOptions
        {
            ConnectionString = mail.Database.ConnectionString,
            Types = mail.Log.Types,
            DataFolder = "",
            Keys = mail.Database.Keys,
            Kinds = ReadModels.Kinds,
            Models = models,
            Retry = TimeSpan.FromMilliseconds(20),
            ProgressInterval = TimeSpan.Zero,
        };
        return new(with?.Invoke(options) ?? options);
    }
}
