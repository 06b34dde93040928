using EventMail.EventStore;
using EventMail.EventStore.Embedded;
using EventMail.Projections;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>How this program's read models are built, verified and changed over, whoever asks for it.</summary>
internal static class GenerationWork
{
    /// <param name="processor">Of a process that does nothing else.</param>
    public static GenerationOptions OptionsOf(MailStore store, HostDatabase database, ILoggerFactory logs, OneProcessor? processor = null)
    {
        var models = ReadModels.All(logs);
        foreach (var follower in models.OfType<IAsyncProjection>())
            follower.Join(store.Log);
        return new()
        {
            ConnectionString = database.ConnectionString,
            Types = store.Log.Types,
            DataFolder = Path.GetDirectoryName(store.Log.Keys.Folder)!,
            Keys = new() { Folder = store.Log.Keys.Folder },
            Kinds = ReadModels.Kinds,
            Models = models,
            Processor = processor,
        };
    }
}
