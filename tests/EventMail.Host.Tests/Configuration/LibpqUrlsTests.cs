using EventMail.Host.Composition;

namespace EventMail.Host.Tests.Configuration;

public sealed class LibpqUrlsTests
{
    [Theory]
    [InlineData("postgresql://u:p%40ss@db.example:5433/mail?sslmode=verify-full", "db.example", 5433, "u", "p@ss", "mail")]
    [InlineData("postgres://u@[::1]/mail", "::1", 5432, "u", null, "mail")]
    [InlineData("postgresql:///mail?host=%2Frun%2Fpg&user=u&password=p%26q", "/run/pg", 5432, "u", "p&q", "mail")]
    public void A_libpq_url_is_a_connection_string(string url, string host, int port, string user, string? password, string database)
    {
        var connection = LibpqUrls.Parse(url);
        (connection.Host, connection.Port, connection.Username, connection.Password, connection.Database).ShouldBe((host, port, user, password, database));
        var again = LibpqUrls.Parse(LibpqUrls.Write(connection));
        (again.Host, again.Port, again.Username, again.Password, again.Database).ShouldBe((host, port, user, password, database));
    }

    [Fact]
    public void An_unknown_parameter_is_refused() => Should.Throw<FormatException>(() => LibpqUrls.Parse("postgresql:///mail?colour=red"));
}
