using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>Postfix's smtp-sink on loopback: takes mail, or fails as its options say.</summary>
internal sealed class SmtpSink : IAsyncDisposable
{
    private const string Program = "/usr/sbin/smtp-sink";

    private readonly Process _process;
    private readonly TempFolder _folder;

    private SmtpSink(Process process, TempFolder folder, int port) => (_process, _folder, Port) = (process, folder, port);

    public static string? Missing => File.Exists(Program) ? null : "Not installed: smtp-sink (Debian: postfix)";

    public int Port { get; }

    /// <summary>The messages taken so far, as they were dumped: trace lines of smtp-sink's in front.</summary>
    public IReadOnlyList<byte[]> Messages => [.. Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];

    /// <param name="dump">Whether messages are kept.</param>
    public static async Task<SmtpSink> StartAsync(bool dump, params string[] options)
    {
        var folder = new TempFolder();
        // smtp-sink gives up root's rights.
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_111_111);
        var port = TestPort.Free();
        List<string> arguments = [.. options, "-4"];
        if (Environment.UserName == "root")
        {
            arguments.AddRange(["-u", "nobody"]);
        }

        if (dump)
        {
            arguments.AddRange(["-d", Path.Combine(folder.Path, "m.")]);
        }

        var process = Process.Start(new ProcessStartInfo(Program, [.. arguments, $"127.0.0.1:{port}", "100"]) { RedirectStandardError = true })!;
        var sink = new SmtpSink(process, folder, port);
        for (var began = Stopwatch.GetTimestamp(); ;)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port);
                return sink;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(began) < Waiting.Limit && !process.HasExited)
            {
                await Task.Delay(25);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _folder.Dispose();
    }
}
