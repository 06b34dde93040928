using System.Diagnostics;
using System.Net.Sockets;
using EventMail.Testing;

namespace EventMail.EndToEnd.Filters;

/// <summary>A real filter as a process of its own, in a folder of its own. It ends, and its folder goes, when this process does.</summary>
internal sealed class FilterProgram : IAsyncDisposable
{
    private const string Script =
        """
        folder=$1; shift
        "$@" </dev/null >"$folder/log" 2>&1 &
        cat >/dev/null
        kill $!
        wait
        rm -rf "$folder"
        """;

    private static readonly TimeSpan StartTimeout = Waiting.Limit;

    private Process? _guard;

    private FilterProgram(string folder) => Folder = folder;

    public string Folder { get; }

    /// <param name="prepare">Writes its configuration into the folder; answers its command line.</param>
    /// <param name="isReady">Asked until it says so.</param>
    public static async Task<FilterProgram> StartAsync(Func<string, Task<string[]>> prepare, Func<string, Task<bool>> isReady)
    {
        // A path of a Unix socket may have 107 octets.
        var program = new FilterProgram(Directory.CreateTempSubdirectory("em-filter-").FullName);
        try
        {
            var command = await prepare(program.Folder);
            var start = new ProcessStartInfo("setsid", ["sh", "-c", Script, "eventmail-test-filter", program.Folder, .. command])
            {
                WorkingDirectory = "/",
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            start.Environment["PATH"] += ":/usr/sbin:/sbin";
            program._guard = Process.Start(start)!;
            for (var began = Stopwatch.GetTimestamp(); !await IsReadyAsync();)
            {
                if (Stopwatch.GetElapsedTime(began) > StartTimeout)
                    throw new InvalidOperationException($"{command[0]} does not start:\n{await File.ReadAllTextAsync(Path.Combine(program.Folder, "log"))}");
                await Task.Delay(100);
            }
            return program;
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }

        async Task<bool> IsReadyAsync()
        {
            try
            {
                return await isReady(program.Folder);
            }
            catch (Exception error) when (error is SocketException or HttpRequestException or IOException or OperationCanceledException)
            {
                return false;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _guard, null) is { } guard)
        {
            guard.StandardInput.Close();
            await guard.WaitForExitAsync();
            guard.Dispose();
        }
        else if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}
