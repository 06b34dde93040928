using EventMail.Protocols.Imap;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Pop3;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Testing;

namespace EventMail.Host.Tests.Configuration;

public sealed class SettingsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("eventmail-settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string File(string json, string name = "settings.json")
    {
        var path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, json);
        return path;
    }

    private HostSettings Load(params string[] set) => new SettingsSources(_folder, null, set).Load();

    private IReadOnlyList<string> Faults(params string[] set) => Should.Throw<SettingsException>(() => Load(set)).Faults;

    [Fact]
    public void The_defaults_listen_on_loopback_on_ports_that_need_no_root()
    {
        var settings = Load();
        settings.Smtp.Port.Number.ShouldBe(1025);
        settings.Submission.Port.Number.ShouldBe(1587);
        settings.Submissions.Port.Number.ShouldBe(1465);
        settings.Imap.Port.Number.ShouldBe(1143);
        settings.Imaps.Port.Number.ShouldBe(1993);
        settings.Pop3.Port.Number.ShouldBe(1110);
        settings.Pop3s.Port.Number.ShouldBe(1995);
        settings.Lmtp.Port.IsOn.ShouldBeFalse();
        settings.Smtp.Address.ShouldBe("127.0.0.1");
    }

    [Fact]
    public void S001_I001_U006_The_limits_and_timeouts_of_the_requirements_are_the_defaults()
    {
        var settings = Load();
        settings.Smtp.MaxConnections.ShouldBe(100);
        settings.Smtp.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(5));
        settings.Smtp.CommandTimeout.ShouldBe(TimeSpan.FromSeconds(30));
        settings.Smtp.StopTimeout.ShouldBe(TimeSpan.FromSeconds(30));
        settings.Imap.MaxConnections.ShouldBe(200);
        settings.Imap.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(30));
        settings.Imap.CommandTimeout.ShouldBe(TimeSpan.FromSeconds(60));
        settings.Imap.KeepAlive.ShouldBe(TimeSpan.FromMinutes(29));
        settings.Imap.StopTimeout.ShouldBe(TimeSpan.FromSeconds(60));
        settings.Pop3.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(10));
        settings.Quota.Default.ShouldBe(1073741824);
        settings.Quota.Annotations.ShouldBe(10 << 20);
        settings.Auth.AllowPlaintextOnLoopback.ShouldBeFalse();
        (settings.Auth.Argon2.Iterations, settings.Auth.Argon2.Memory, settings.Auth.Argon2.Parallelism).ShouldBe((3, 65536 * 1024, 4));
    }

    [Fact]
    public void Limits_that_are_set_reach_the_protocols()
    {
        var settings = Load(
            "Smtp:BareLineEnds=refuse", "Smtp:DataTimeout=1min", "Smtp:MaxSessionTime=10min", "Smtp:MaxTransactions=7",
            "Smtp:MaxUnknownRecipients=8", "Smtp:StopTimeout=10s", "Pop3:LoginTimeout=30s", "Imaps:MaxConnectionsPerAddress=9");
        var smtp = ProtocolLimits.Of(settings.Smtp);
        smtp.BareLineEnds.ShouldBe(BareLineEnds.Refuse);
        smtp.DataTimeout.ShouldBe(TimeSpan.FromMinutes(1));
        smtp.MaxSessionTime.ShouldBe(TimeSpan.FromMinutes(10));
        (smtp.MaxTransactions, smtp.MaxUnknownRecipients).ShouldBe((7, 8));
        smtp.StopTime.ShouldBe(TimeSpan.FromSeconds(8));
        ProtocolLimits.Of(settings.Pop3, "host").LoginTimeout.ShouldBe(TimeSpan.FromSeconds(30));
        settings.Imaps.MaxConnectionsPerAddress.ShouldBe(9);
    }

    [Fact]
    public void Q003_The_schedule_of_the_requirements_is_the_default()
    {
        var delivery = Load().Delivery;
        delivery.Schedule.ToString().ShouldBe("5min 15min 30min 1h 2h 4h 8h 16h 1d");
        delivery.Schedule.Each.Count.ShouldBe(9, "retry attempts before it is given up");
        delivery.WarnAfter.ShouldBe(TimeSpan.FromHours(4));
        (delivery.Enabled, delivery.Port, delivery.AllowLoopback).ShouldBe((true, 25, false));
    }

    [Fact]
    public void A_smarthost_and_a_schedule_are_set_by_name()
    {
        var delivery = Load(
            "Delivery:Schedule=1s, 2min", "Delivery:Smarthosts:example.org:Host=relay.example.net", "Delivery:Smarthosts:example.org:Tls=implicit",
            "Delivery:Tls:example.com=verified").Delivery;
        delivery.Schedule.Each.ShouldBe([TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2)]);
        delivery.Smarthosts["example.org"].ShouldBe(new() { Host = "relay.example.net", Tls = SmarthostTls.Implicit });
        delivery.Tls["example.com"].ShouldBe(TlsPolicy.Verified);
        Faults("Delivery:Schedule=often").ShouldHaveSingleItem().ShouldContain("5min 15min 1h");
    }

    [Fact]
    public void Messages_of_one_IMAP_command_have_no_limit_unless_one_is_set()
    {
        ProtocolLimits.Of(Load().Imap).MessageLimit.ShouldBe(0);
        ProtocolLimits.Of(Load("Imap:MessageLimit=1000").Imap).MessageLimit.ShouldBe(1000);
        Faults("Imap:MessageLimit=-1").ShouldHaveSingleItem();
    }

    [Fact]
    public void The_protocols_own_defaults_are_those_of_the_settings()
    {
        ProtocolLimits.Of(new SmtpSettings()).ShouldBe(SmtpLimits.Default);
        ProtocolLimits.Of(new ImapSettings()).ShouldBe(new ImapLimits());
        ProtocolLimits.Of(new Pop3Settings(), "localhost").ShouldBe(new Pop3Options());
    }

    [Theory]
    [InlineData("plus", NonSynchronizingLiterals.Plus)]
    [InlineData("minus", NonSynchronizingLiterals.Minus)]
    public void Literals_that_are_not_waited_with_are_plus_or_minus(string text, NonSynchronizingLiterals literals) =>
        ProtocolLimits.Of(Load($"Imap:NonSynchronizingLiterals={text}").Imap).NonSynchronizingLiterals.ShouldBe(literals);

    [Fact]
    public async Task The_command_line_wins_over_the_environment_which_wins_over_the_file_which_wins_over_the_defaults()
    {
        var file = File("""{ "Smtp": { "MaxConnections": 1, "MaxErrors": 1 }, "Imap": { "MaxConnections": 1 }, "Hostname": "file.example" }""");
        var shown = await TestServer.RunAsync(
            _folder, new Dictionary<string, string> { ["EVENTMAIL_Smtp__MaxConnections"] = "2", ["EVENTMAIL_Imap__MaxConnections"] = "2" },
            "config", "show", "--config", file, "--set", "Smtp:MaxConnections=3");
        shown.Error.ShouldBe("");
        var lines = shown.Output.Split('\n');
        lines.ShouldContain("Smtp:MaxConnections=3");
        lines.ShouldContain("Imap:MaxConnections=2");
        lines.ShouldContain("Smtp:MaxErrors=1");
        lines.ShouldContain("Hostname=file.example");
        lines.ShouldContain("Pop3:Port=1110");
    }

    [Fact]
    public void The_last_of_repeated_settings_wins() => Load("Imap:Port=1", "imap:port=2").Imap.Port.Number.ShouldBe(2);

    [Fact]
    public void A_file_in_the_data_folder_is_read_unless_another_is_named()
    {
        File("""{ "Hostname": "here.example" }""", SettingsSources.FileInDataFolder);
        Load().Hostname.ShouldBe("here.example");
        new SettingsSources(_folder, File("{}"), []).Load().Hostname.ShouldBe("");
    }

    [Theory]
    [InlineData("off", false)]
    [InlineData("OFF", false)]
    [InlineData("0", true)]
    [InlineData("65535", true)]
    public void A_port_is_a_number_or_off(string text, bool isOn) => Load($"Imap:Port={text}").Imap.Port.IsOn.ShouldBe(isOn);

    [Theory]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData("imap")]
    [InlineData("")]
    public void Anything_else_is_no_port(string text) =>
        Faults($"Imap:Port={text}").ShouldBe([$"Imap:Port is '{text}': write a port number, 0 for any free one, or off."]);

    [Theory]
    [InlineData("65536", 65536)]
    [InlineData("64KiB", 65536)]
    [InlineData("100 kb", 100_000)]
    [InlineData("35MiB", 35 << 20)]
    [InlineData("1GB", 1_000_000_000)]
    public void Sizes_may_have_units(string text, long bytes) => Load($"Smtp:MaxMessageSize={text}").Smtp.MaxMessageSize.ShouldBe(bytes);

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("5min", 300)]
    [InlineData("5m", 300)]
    [InlineData("1h30min", 5400)]
    [InlineData("1d", 86400)]
    [InlineData("00:01:30", 90)]
    public void Times_may_have_units(string text, int seconds) =>
        Load($"Imap:IdleTimeout={text}").Imap.IdleTimeout.ShouldBe(TimeSpan.FromSeconds(seconds));

    [Theory]
    [InlineData("5")]
    [InlineData("min")]
    [InlineData("5 parsecs")]
    [InlineData("-00:01:00")]
    [InlineData("")]
    public void A_time_without_a_unit_is_refused(string text) => Faults($"Imap:IdleTimeout={text}").Single().ShouldContain("write a time such as");

    [Theory]
    [InlineData("Imap:Prot=1", "Imap:Port")]
    [InlineData("Imp:Port=1", "Imap:Port")]
    [InlineData("MaxMessageSize=1", "Smtp:MaxMessageSize")]
    [InlineData("Auth:AllowPlaintextOnLocalhost=true", "Auth:AllowPlaintextOnLoopback")]
    public void An_unknown_setting_is_refused_with_the_one_that_was_probably_meant(string set, string meant) =>
        Faults(set).Single().ShouldBe($"There is no setting {set.Split('=')[0]}; did you mean {meant}?");

    [Fact]
    public void All_faults_are_told_at_once() => Faults("Imap:Port=x", "Nonsense:Thing=1", "Smtp:MaxConnections=0").Count.ShouldBe(3);

    [Fact]
    public void A_limit_below_its_least_value_is_refused() =>
        Faults("Smtp:MaxRecipients=99").ShouldBe(["Smtp:MaxRecipients is '99': it must be 100 or more."]);

    [Fact]
    public void A_broken_file_is_named_in_the_fault()
    {
        var file = File("{ \"Imap\": ");
        Should.Throw<SettingsException>(() => new SettingsSources(_folder, file, []).Load()).Message.ShouldContain(file);
        Should.Throw<SettingsException>(() => new SettingsSources(_folder, file + "x", []).Load()).Message.ShouldContain("There is no settings file");
    }

    [Fact]
    public void Named_entries_take_any_name()
    {
        var file = File("""{ "Tls": { "Hosts": { "mail.example.org": { "Certificate": "c", "Key": "k" } } }, "Database": { "Settings": { "shared_buffers": "1GB" } } }""");
        var settings = new SettingsSources(_folder, file, []).Load();
        settings.Tls.Hosts["mail.example.org"].ShouldBe(new CertificateFiles { Certificate = "c", Key = "k" });
        settings.Database.Settings["shared_buffers"].ShouldBe("1GB");
    }

    [Fact]
    public async Task Secrets_are_masked_when_shown()
    {
        var shown = await TestServer.RunAsync(_folder, "config", "show", "--set", "Database:ConnectionString=Host=db;Password=sesame");
        shown.Output.ShouldContain("Database:ConnectionString=********");
        shown.Output.ShouldNotContain("sesame");
    }

    [Fact]
    public async Task What_is_shown_can_be_set()
    {
        var shown = await TestServer.RunAsync(_folder, "config", "show");
        var again = Load([.. shown.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)]);
        SettingsTable.Effective(again).ShouldBe(SettingsTable.Effective(Load()));
    }

    [Fact]
    public async Task Wrong_settings_end_with_2_and_a_wrong_command_too()
    {
        (await TestServer.RunAsync(_folder, "config", "show", "--set", "Imap:Port=x")).ExitCode.ShouldBe(2);
        (await TestServer.RunAsync(_folder, "srve")).ExitCode.ShouldBe(2);
    }
}
