using System.Net.Sockets;

namespace EventMail.EndToEnd.Filters;

/// <summary>A milter of our own over Sendmail's libmilter: what it does is said by the recipient or the subject.</summary>
internal sealed class LibMilter : IAsyncDisposable
{
    /// <summary>python3-milter.</summary>
    public const string Module = "/usr/lib/python3/dist-packages/Milter/__init__.py";

    /// <summary>It sees this detail of an address for the first time: 451.</summary>
    public const string Greylisted = "greylisted";

    /// <summary>It refuses recipients with this detail.</summary>
    public const string Unwanted = "unwanted";

    /// <summary>With this subject it changes all that can be changed.</summary>
    public const string Edited = "edit this";

    /// <summary>With this subject it sets the message aside.</summary>
    public const string SetAside = "set this aside";

    private const string Script =
        $$"""
        import sys, Milter

        seen = set()

        class Tests(Milter.Base):
            subject = ""

            def envrcpt(self, recipient, *parameters):
                if "+{{Greylisted}}@" in recipient and recipient not in seen:
                    seen.add(recipient)
                    self.setreply("451", "4.7.1", "Greylisted, come again")
                    return Milter.TEMPFAIL
                if "+{{Unwanted}}@" in recipient:
                    self.setreply("550", "5.7.1", "100%% unwanted")
                    return Milter.REJECT
                return Milter.CONTINUE

            def header(self, name, value):
                if name == "Subject":
                    self.subject = value
                return Milter.CONTINUE

            def eom(self):
                if self.subject == "{{Edited}}":
                    self.addheader("X-Below", "last\n\tfolded")
                    self.addheader("X-Above", "first", 0)
                    self.chgheader("Subject", 1, "edited")
                    self.chgheader("MIME-Version", 1, "")
                    self.replacebody(b"another body of seventy octets and more, to be cut into many packets..\r\n" * 3000)
                elif self.subject == "{{SetAside}}":
                    self.quarantine("tests want it")
                return Milter.ACCEPT

        Milter.factory = Tests
        Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGBODY | Milter.QUARANTINE)
        Milter.runmilter("tests", "unix:" + sys.argv[1], 60)
        """;

    private readonly FilterProgram _program;

    private LibMilter(FilterProgram program) => _program = program;

    /// <summary>As `Filters:Milters` takes it.</summary>
    public string Address => $"unix:{_program.Folder}/socket";

    public static async Task<LibMilter> StartAsync() => new(await FilterProgram.StartAsync(
        async folder =>
        {
            var script = Path.Combine(folder, "filter.py");
            await File.WriteAllTextAsync(script, Script);
            return ["/usr/bin/python3", script, Path.Combine(folder, "socket")];
        },
        async folder =>
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(folder, "socket")));
            return true;
        }));

    public ValueTask DisposeAsync() => _program.DisposeAsync();
}
