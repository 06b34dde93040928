using System.Net.Sockets;

namespace EventMail.EndToEnd.Filters;

/// <summary>A real opendkim on a Unix socket that signs for a domain: a milter over Sendmail's own library.</summary>
internal sealed class OpenDkim : IAsyncDisposable
{
    private readonly FilterProgram _program;

    private OpenDkim(FilterProgram program) => _program = program;

    /// <summary>As `Filters:Milters` takes it.</summary>
    public string Address => $"unix:{_program.Folder}/socket";

    /// <param name="key">A private key in PEM.</param>
    public static async Task<OpenDkim> StartAsync(string domain, string selector, string key) => new(await FilterProgram.StartAsync(
        async folder =>
        {
            var file = Path.Combine(folder, "key");
            await File.WriteAllTextAsync(file, key);
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await File.WriteAllTextAsync(Path.Combine(folder, "signers"), "127.0.0.0/8\n");
            await File.WriteAllTextAsync(
                Path.Combine(folder, "conf"),
                $"""
                Mode s
                Domain {domain}
                Selector {selector}
                KeyFile {file}
                RequireSafeKeys no
                Socket local:{folder}/socket
                InternalHosts {folder}/signers
                PidFile {folder}/pid
                Canonicalization relaxed/simple

                """);
            return ["opendkim", "-f", "-x", Path.Combine(folder, "conf")];
        },
        async folder =>
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(folder, "socket")));
            return true;
        }));

    public ValueTask DisposeAsync() => _program.DisposeAsync();
}
