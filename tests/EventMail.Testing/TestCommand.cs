using System.Text;
using EventMail.Host.Cli;

namespace EventMail.Testing;

/// <summary>
/// Runs one of the program's commands inside the test process: as a process of its own it would spend nearly all of its time on starting.
/// What it prints is told apart from what others print meanwhile. Signals, standard input and the environment are for tests of the
/// program itself (<see cref="TestServer.RunAsync(string, IEnumerable{string})"/>).
/// </summary>
public static class TestCommand
{
    private static readonly AsyncLocal<Printed?> Current = new();

    static TestCommand()
    {
        Console.SetOut(new Divider(Console.Out, printed => printed.Output));
        Console.SetError(new Divider(Console.Error, printed => printed.Error));
        Console.SetIn(TextReader.Null);
    }

    public static async Task<CommandResult> RunAsync(params IEnumerable<string> arguments)
    {
        string[] words = [.. arguments];
        // Commands run beside each other: one may wait for a transaction of a test that runs a command in it.
        var parsed = CommandLine.Parse(words);
        var printed = new Printed();
        try
        {
            Current.Value = printed;
            var exitCode = await Task.Run(() => CommandLine.RunAsync(parsed)).InTime(string.Join(' ', words));
            return new(exitCode, printed.Output.ToString(), printed.Error.ToString());
        }
        finally
        {
            Current.Value = null;
        }
    }

    private sealed record Printed
    {
        public StringBuilder Output { get; } = new();

        public StringBuilder Error { get; } = new();
    }

    /// <summary>Console.SetOut lets one write at a time.</summary>
    private sealed class Divider(TextWriter others, Func<Printed, StringBuilder> where) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Write(new ReadOnlySpan<char>(in value));

        public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

        public override void Write(string? value) => Write(value.AsSpan());

        public override void Write(ReadOnlySpan<char> buffer)
        {
            if (Current.Value is { } printed)
                where(printed).Append(buffer);
            else
                others.Write(buffer);
        }

        public override void Flush() => others.Flush();
    }
}
