using System.CommandLine;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using EventMail.Host.Moving.Import;
using EventMail.Protocols.Imap.Client;

namespace EventMail.Host.Cli;

/// <summary>`import imap`: how its server is reached.</summary>
internal static class ImportImapCommand
{
    private const int ImplicitPort = 993;
    private const int PlainPort = 143;

    private static readonly Argument<string> Host = new("HOST") { Description = "The server, by the name in its certificate" };
    private static readonly Argument<string> User = new("USER") { Description = "The user name there" };
    private static readonly Option<int?> Port = new("--port") { HelpName = "PORT", Description = "993, or 143 with --tls starttls or none" };

    private static readonly Option<ImapClientTls> Tls = new("--tls")
    {
        Description = "implicit, starttls, or none for a server on this machine",
        DefaultValueFactory = _ => ImapClientTls.Implicit,
    };

    private static readonly Option<string?> Ca = new("--ca") { HelpName = "FILE", Description = "Certificates (PEM) to be trusted instead of the system's" };

    public static Command Create(params Symbol[] common)
    {
        var command = new Command("imap", "From an account on another IMAP server, with all its mailboxes.") { Host, User };
        foreach (var symbol in common)
        {
            if (symbol is Argument argument)
                command.Add(argument);
            else
                command.Add((Option)symbol);
        }
        foreach (Option option in (Option[])[Port, Tls, Ca, PasswordInput.Given, PasswordInput.FromStdin])
            command.Add(option);
        return command;
    }

    public static async Task<IImportSource> OpenAsync(CommandRun run, CancellationToken stop)
    {
        var (host, tls) = (run.Arguments.GetValue(Host)!, run.Arguments.GetValue(Tls));
        if (tls == ImapClientTls.None && host != "localhost" && !(IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)))
            throw new CommandFailedException("Without TLS anybody on the way reads the password: --tls none is for a server on this machine.", ExitCodes.Usage);
        var password = await PasswordInput.ReadAsync(run.Arguments)
            ?? throw new CommandFailedException("Give the password there with --password-stdin (or --password).", ExitCodes.Usage);
        var options = new ImapClientOptions(host, run.Arguments.GetValue(Port) ?? (tls == ImapClientTls.Implicit ? ImplicitPort : PlainPort), tls)
        {
            TrustAnchors = run.Arguments.GetValue(Ca) is { } file ? AnchorsOf(file) : null,
        };
        try
        {
            var client = await ImapClient.ConnectAsync(options, stop);
            try
            {
                await client.LogInAsync(run.Arguments.GetValue(User)!, password, stop);
                return new ImapSource(client, host);
            }
            catch
            {
                await client.DisposeAsync();
                throw;
            }
        }
        catch (ImapClientException e)
        {
            throw new CommandFailedException($"{e.Message}.");
        }
    }

    private static X509Certificate2Collection AnchorsOf(string file)
    {
        var anchors = new X509Certificate2Collection();
        try
        {
            anchors.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is System.Security.Cryptography.CryptographicException or IOException)
        {
            throw new CommandFailedException($"{file} cannot be read as certificates: {e.Message}", ExitCodes.Usage);
        }
        return anchors;
    }
}
