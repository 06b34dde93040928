return await EventMail.Host.Cli.CommandLine.RunAsync(args);
