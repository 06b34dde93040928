using EventMail.Host.Composition;
using Npgsql;

namespace EventMail.Host.Audit;

/// <summary>A database whose log is verified, as it is: no store is opened on it, nothing is made in it, and no key is asked for.</summary>
internal static class AuditedDatabase
{
    public static NpgsqlDataSource Open(HostDatabase database) => NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString)
    {
        MaxAutoPrepare = 20,
        CommandTimeout = 0, // a page of a log on a slow disk
    });
}
