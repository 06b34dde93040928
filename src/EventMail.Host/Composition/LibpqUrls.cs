using System.Globalization;
using Npgsql;

namespace EventMail.Host.Composition;

/// <summary>libpq's connection URLs (PostgreSQL manual §34.1.1.2), from and to Npgsql's words.</summary>
internal static class LibpqUrls
{
    // libpq's parameter, Npgsql's keyword.
    private static readonly (string Libpq, string Npgsql)[] Parameters =
    [
        ("host", "Host"), ("port", "Port"), ("dbname", "Database"), ("user", "Username"), ("password", "Password"),
        ("sslmode", "SSL Mode"), ("sslrootcert", "Root Certificate"), ("sslcert", "SSL Certificate"), ("sslkey", "SSL Key"),
        ("application_name", "Application Name"), ("connect_timeout", "Timeout"), ("options", "Options"),
    ];

    public static bool IsUrl(string text) =>
        text.StartsWith("postgresql://", StringComparison.Ordinal) || text.StartsWith("postgres://", StringComparison.Ordinal);

    /// <exception cref="FormatException">No such URL, or a parameter that we do not know.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string url)
    {
        // postgresql://[user[:password]@][host[:port]][/dbname][?name=value&…]
        var rest = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var connection = new NpgsqlConnectionStringBuilder();
        if (Cut(ref rest, '?') is { } query)
        {
            foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
            {
                var name = pair;
                var value = Cut(ref name, '=') ?? "";
                Set(name, value);
            }
        }
        if (Cut(ref rest, '/') is { Length: > 0 } database)
            Set("dbname", database);
        if (rest.LastIndexOf('@') is >= 0 and var at)
        {
            var user = rest[..at];
            rest = rest[(at + 1)..];
            if (Cut(ref user, ':') is { } password)
                Set("password", password);
            Set("user", user);
        }
        if (rest.LastIndexOf(':') is >= 0 and var colon && !rest.EndsWith(']'))
        {
            Set("port", rest[(colon + 1)..]);
            rest = rest[..colon];
        }
        if (rest.Length > 0)
            Set("host", rest.Trim('[', ']'));
        return connection;

        void Set(string name, string value)
        {
            var keyword = Parameters.FirstOrDefault(parameter => parameter.Libpq == name).Npgsql
                ?? throw new FormatException($"the URL's parameter {name} is not known");
            // libpq writes verify-full, Npgsql VerifyFull.
            connection[keyword] = name == "sslmode" ? value.Replace("-", "") : Uri.UnescapeDataString(value);
        }
    }

    public static string Write(NpgsqlConnectionStringBuilder connection)
    {
        var parameters = new List<string>();
        Add("host", connection.Host);
        if (connection.Port != 5432)
            Add("port", connection.Port.ToString(CultureInfo.InvariantCulture));
        Add("user", connection.Username);
        Add("password", connection.Password);
        return $"postgresql:///{Uri.EscapeDataString(connection.Database ?? "")}?{string.Join('&', parameters)}";

        void Add(string name, string? value)
        {
            if (value is { Length: > 0 })
                parameters.Add($"{name}={Uri.EscapeDataString(value)}");
        }
    }

    private static string? Cut(ref string text, char at)
    {
        var index = text.IndexOf(at);
        if (index < 0)
            return null;
        var after = text[(index + 1)..];
        text = text[..index];
        return after;
    }
}
