using System.Diagnostics;
using System.Text;

namespace EventMail.EndToEnd;

/// <summary>A mail client or another program of the system, run to its end.</summary>
internal static class ClientProgram
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <param name="program">A name to be found in PATH, or a whole path.</param>
    public static bool IsInstalled(string program) => program.StartsWith('/') ? File.Exists(program) :
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));

    /// <summary>Runs it; a status other than 0 fails the test with all that it said.</summary>
    /// <returns>Its standard output.</returns>
    public static async Task<byte[]> RunAsync(string program, IEnumerable<string> arguments, byte[]? input = null, string? home = null)
    {
        var (status, output, error) = await TryRunAsync(program, arguments, input, home);
        if (status != 0)
        {
            throw new InvalidOperationException(
                $"{program} ended with {status}\n--- its output ---\n{Encoding.UTF8.GetString(output)}\n--- its errors ---\n{error}");
        }

        return output;
    }

    public static async Task<(int Status, byte[] Output, string Error)> TryRunAsync(
        string program, IEnumerable<string> arguments, byte[]? input = null, string? home = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = home ?? Path.GetTempPath(),
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LC_ALL"] = "C.UTF-8";
        if (home is not null)
        {
            // Nothing of the person who runs the tests may be read or written.
            start.Environment["HOME"] = home;
        }

        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            var output = new MemoryStream();
            var copying = process.StandardOutput.BaseStream.CopyToAsync(output, limit.Token);
            await process.StandardInput.BaseStream.WriteAsync(input ?? [], limit.Token);
            process.StandardInput.Close();
            await copying;
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, output.ToArray(), await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)} did not end within {Patience}");
        }
    }
}
