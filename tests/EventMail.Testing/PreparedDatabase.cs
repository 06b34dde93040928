using EventMail.EventStore;
using EventMail.Projections;
using EventMail.Projections.SearchText;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Testing;

/// <summary>
/// A database for one test that has the program's tables already: making them anew takes longer than most tests do. The copies number their contents
/// from the same number on, so that no account can be moved from one to another.
/// </summary>
public static class PreparedDatabase
{
    /// <summary>As a server leaves it that nobody has used.</summary>
    public static Task<TestDatabase> OfServerAsync() => CreateAsync(
        "server", ReadModels.Inline(), ReadModels.Asynchronous(new SearchTextProjection(new(), NullLoggerFactory.Instance)));

    /// <summary>As a command leaves it.</summary>
    public static Task<TestDatabase> OfCommandAsync() => CreateAsync("command", ReadModels.Inline(), []);

    /// <summary>A log without read models.</summary>
    public static Task<TestDatabase> OfLogAsync() => CreateAsync("log", [], []);

    /// <param name="template">Stands for these read models.</param>
    public static Task<TestDatabase> CreateAsync(string template, IReadOnlyList<IInlineProjection> inline, IReadOnlyList<IAsyncProjection> asynchronous) =>
        TestDatabase.CreateAsync(template, database => EventLog.PrepareAsync(database, inline, asynchronous, default));
}
