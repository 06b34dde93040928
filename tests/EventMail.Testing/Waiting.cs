using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace EventMail.Testing;

/// <summary>No wait of a test is for ever: what takes longer fails it, and says what it waited for.</summary>
public static class Waiting
{
    /// <summary>Longer than anything takes on a machine that is busy with other things, a server's stop with sessions open included.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    public static async Task<T> InTime<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await InTime((Task)task, what);
        return await task;
    }

    public static async Task InTime(this Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        try
        {
            await task.WaitAsync(Limit);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Not within {Limit.TotalSeconds:0} s: {what}");
        }
    }

    /// <summary>Asks again and again until it is so.</summary>
    /// <param name="otherwise">What is there instead, for the message of the failed test.</param>
    public static Task UntilAsync(Func<bool> isSo, Func<string>? otherwise = null, [CallerArgumentExpression(nameof(isSo))] string what = "") =>
        UntilAsync(() => Task.FromResult(isSo()), otherwise, what);

    /// <inheritdoc cref="UntilAsync(Func{bool}, Func{string}?, string)"/>
    public static async Task UntilAsync(Func<Task<bool>> isSo, Func<string>? otherwise = null, [CallerArgumentExpression(nameof(isSo))] string what = "")
    {
        for (var began = Stopwatch.GetTimestamp(); !await isSo(); await Task.Delay(Step))
        {
            if (Stopwatch.GetElapsedTime(began) > Limit)
                throw new TimeoutException($"Not within {Limit.TotalSeconds:0} s: {what}\n{otherwise?.Invoke()}");
        }
    }
}
