using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

/// <summary>A real Dovecot on loopback, for the accounts whose Maildirs lie in a folder; every password is "secret".</summary>
internal sealed class DovecotServer : IAsyncDisposable
{
    public const string Password = "secret";

    private const string Program = "/usr/sbin/dovecot";
    private const string Nobody = "65534";

    private readonly Process _process;

    private DovecotServer(Process process, int port, int tlsPort) => (_process, Port, TlsPort) = (process, port, tlsPort);

    /// <summary>In the clear, with STARTTLS.</summary>
    public int Port { get; }

    /// <summary>TLS from the beginning, with <see cref="EventMail.Testing.TestCertificate"/>.</summary>
    public int TlsPort { get; }

    /// <summary>Why it cannot be here.</summary>
    public static string? Missing =>
        !File.Exists(Program) ? "Not installed: dovecot" : Environment.UserName != "root" ? "dovecot's processes need root to become someone else" : null;

    /// <param name="folder">USER/Maildir for each user; everybody may pass through it.</param>
    public static async Task<DovecotServer> StartAsync(string folder)
    {
        var port = TestPort.Free();
        var tlsPort = TestPort.Free();
        var (certificate, key) = (Path.Combine(folder, "server.pem"), Path.Combine(folder, "server.key"));
        await File.WriteAllTextAsync(certificate, TestCertificate.Certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(key, TestCertificate.Certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        var configuration = Path.Combine(folder, "dovecot.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            base_dir = {{folder}}/run
            state_dir = {{folder}}/state
            log_path = {{folder}}/log
            protocols = imap
            listen = 127.0.0.1
            ssl = yes
            ssl_cert = <{{certificate}}
            ssl_key = <{{key}}
            disable_plaintext_auth = no
            first_valid_uid = 0
            passdb {
              driver = static
              args = password={{Password}}
            }
            userdb {
              driver = static
              args = uid={{Nobody}} gid={{Nobody}} home={{folder}}/%u
            }
            mail_location = maildir:~/Maildir
            namespace inbox {
              inbox = yes
              separator = .
              mailbox Gesendet {
                auto = create
                special_use = \Sent
              }
            }
            service imap-login {
              chroot =
              inet_listener imap {
                port = {{port}}
              }
              inet_listener imaps {
                port = {{tlsPort}}
                ssl = yes
              }
            }
            service anvil {
              chroot =
            }
            """);
        using (var owner = Process.Start("chown", ["-R", $"{Nobody}:{Nobody}", folder]))
            await owner.WaitForExitAsync();
        var process = Process.Start(new ProcessStartInfo(Program, ["-F", "-c", configuration]) { RedirectStandardError = true })!;
        await Waiting.UntilAsync(() => Answers(port));
        return new(process, port, tlsPort);
    }

    private static bool Answers(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]))
            await kill.WaitForExitAsync();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

/// <summary>Skipped, and counted so, where Dovecot cannot run.</summary>
public sealed class DovecotFactAttribute : FactAttribute
{
    public DovecotFactAttribute() => Skip = DovecotServer.Missing;
}
