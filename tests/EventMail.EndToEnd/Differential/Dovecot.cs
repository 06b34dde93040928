using System.Diagnostics;

namespace EventMail.EndToEnd.Differential;

/// <summary>
/// Dovecot's IMAP process, already logged in, on its standard input and output: the server that the most clients have been
/// tested with. No ports, no daemon; each account is a folder, each session a process.
/// </summary>
internal sealed class Dovecot : IDisposable
{
    public const string Program = "/usr/lib/dovecot/imap";

    private readonly TempFolder _folder = new TempFolder().Passable();
    private readonly string _configuration;
    private int _accounts;

    public Dovecot()
    {
        // Dovecot will not serve mail as root: then it is somebody else, who needs the folder.
        var isRoot = Environment.UserName == "root";
        _configuration = _folder.Write("dovecot.conf", $$"""
            base_dir = {{_folder["run"]}}
            state_dir = {{_folder["state"]}}
            log_path = {{_folder["log"]}}
            ssl = no
            first_valid_uid = 0
            stats_writer_socket_path =
            mail_location = mdbox:%h/mail
            mail_attribute_dict = file:%h/attributes
            {{(isRoot ? "mail_uid = 65534\nmail_gid = 65534" : "")}}
            protocol imap {
              imap_metadata = yes
            }
            namespace inbox {
              inbox = yes
              separator = /
              mailbox Drafts {
                auto = create
                special_use = \Drafts
              }
              mailbox Sent {
                auto = create
                special_use = \Sent
              }
              mailbox Trash {
                auto = create
                special_use = \Trash
              }
              mailbox Spam {
                auto = create
                special_use = \Junk
              }
              mailbox Archive {
                auto = create
                special_use = \Archive
              }
            }
            """);
        File.WriteAllText(_folder["log"], "");
        foreach (var open in (string[])[_folder["log"], _folder.Path])
        {
            File.SetUnixFileMode(open, File.GetUnixFileMode(open) | UnixFileMode.OtherWrite | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }
    }

    /// <summary>A folder for an account's mail; sessions are opened on it.</summary>
    public string NewAccount()
    {
        var home = _folder[$"user{Interlocked.Increment(ref _accounts)}"];
        Directory.CreateDirectory(home);
        File.SetUnixFileMode(home, (UnixFileMode)0b111_111_111);
        return home;
    }

    public async Task<DifferentialSession> OpenAsync(string home)
    {
        var start = new ProcessStartInfo(Program, ["-c", _configuration])
        {
            WorkingDirectory = home,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = home;
        start.Environment["USER"] = Path.GetFileName(home);
        start.Environment["TZ"] = "UTC";
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var session = new DifferentialSession(process.StandardOutput.BaseStream, process.StandardInput.BaseStream, process);
        await session.GreetingAsync("* PREAUTH ");
        return session;
    }

    public void Dispose() => _folder.Dispose();
}
