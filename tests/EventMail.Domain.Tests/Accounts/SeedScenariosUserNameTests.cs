using EventMail.Domain.Accounts;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Domain.Tests.Accounts;

/// <summary>The security guide's rules for user names and against header injection and path traversal, on the names that accounts have.</summary>
public sealed class SeedScenariosUserNameTests
{
    [Theory]
    [InlineData("john.doe")]
    [InlineData("user_123")]
    [InlineData("admin-2024")]
    [InlineData("x")]
    public void The_guides_valid_names_are_valid(string name) => Fault(name).ShouldBeNull();

    [Theory]
    [InlineData(".user")]
    [InlineData("user..name")]
    [InlineData("user@#$%")]
    [InlineData("")]
    [InlineData("user.")]
    [InlineData("-user")]
    [InlineData("user-")]
    public void The_guides_invalid_names_are_not(string name) => Fault(name).ShouldNotBeNull();

    [Fact]
    public void A_name_has_at_most_64_octets()
    {
        Fault(new string('a', 64)).ShouldBeNull();
        Fault(new string('a', 65)).ShouldNotBeNull();
        Fault(new string('\u00E4', 32)).ShouldBeNull();
        Fault(new string('\u00E4', 33)).ShouldNotBeNull();
    }

    // Other than the guide says: docs/decisions/0014-account-names.md.
    [Fact]
    public void Names_that_differ_in_case_only_are_one()
    {
        MailAddress.TryParse("John.Doe@Example.COM", out var address, out _).ShouldBeTrue();
        address!.ToString().ShouldBe("john.doe@example.com");
    }

    [Theory]
    [InlineData("user\r\nBcc: victim@example.org")]
    [InlineData("user\nx")]
    [InlineData("user\rx")]
    [InlineData("user\0x")]
    [InlineData("user\u0085x")]
    [InlineData("user\u2028x")]
    [InlineData("user x")]
    [InlineData("user\u202Ex")]
    public void No_name_can_inject_a_line_or_change_how_it_is_shown(string name) => Fault(name).ShouldNotBeNull();

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("..")]
    [InlineData("/etc/shadow")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("%2e%2e%2f")]
    [InlineData("~root")]
    [InlineData("\uFF0E\uFF0E\uFF0Fetc")]
    public void No_name_leads_along_a_path(string name) => Fault(name).ShouldNotBeNull();

    [Theory]
    [InlineData("user@exa\r\nmple.com")]
    [InlineData("user@../etc")]
    [InlineData("user@-example.com")]
    [InlineData("user@example..com")]
    [InlineData("user@[192.0.2.1]")]
    [InlineData("user@")]
    public void A_domain_is_a_host_name(string address) => MailAddress.TryParse(address, out _, out _).ShouldBeFalse();

    [Fact]
    public void Whatever_is_taken_has_only_letters_digits_and_dot_underscore_hyphen_apostrophe() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll<string>(text =>
            !MailAddress.TryParse($"{text}@example.com", out var address, out _)
            || address!.LocalPart.All(c => char.IsLetterOrDigit(c) || char.IsSurrogate(c) || c is '.' or '_' or '-' or '\''
                || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark
                    or System.Globalization.UnicodeCategory.SpacingCombiningMark)));

    /// <summary>Null for a name that an account may have.</summary>
    private static string? Fault(string localPart) =>
        MailAddress.TryParse($"{localPart}@example.com", out _, out var why) ? null : why;
}
