using EventMail.Host.Cli;
using EventMail.Testing;

namespace EventMail.Host.Tests.Cli;

public sealed class UnknownOptionsTests
{
    [Theory]
    [InlineData("--from", "history", "joe@example.org", "--from")]
    [InlineData("--from", "history", "joe@example.org", "--from", "2026-11-01")]
    [InlineData("-n", "history", "-n", "5")]
    [InlineData("--password-file", "account", "add", "joe@example.org", "--password-file")]
    [InlineData("--dry", "restore", "joe@example.org", "--to", "1d", "--dry")]
    public async Task They_are_said_to_be_none(string option, params string[] words)
    {
        var result = await TestCommand.RunAsync(words);
        result.ExitCode.ShouldBe(ExitCodes.Usage);
        result.Output.ShouldBeEmpty();
        result.Error.ShouldBe($"eventmail: There is no option {option} here; --help lists those that are. A value that begins with a hyphen stands behind --.\n");
    }

    [Theory]
    [InlineData("history", "joe@example.org", "--", "--from")]
    [InlineData("history", "joe@example.org", "-")]
    [InlineData("account", "add", "joe@example.org", "--password", "--secret")]
    [InlineData("history", "--since", "1d", "joe@example.org")]
    public void Values_are_none(params string[] words) =>
        UnknownOptions.FirstOf(CommandLine.Parse(words)).ShouldBeNull();

    [Fact]
    public void Behind_two_hyphens_it_is_a_value()
    {
        var parsed = CommandLine.Parse(["history", "joe@example.org", "--", "--from"]);
        parsed.Errors.ShouldBeEmpty();
        parsed.CommandResult.Children.SelectMany(child => child.Tokens).ShouldContain(token => token.Value == "--from");
    }
}
