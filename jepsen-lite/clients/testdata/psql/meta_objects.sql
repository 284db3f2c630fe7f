-- psql's lists of everything that is not a table.
\l postgres
\l nothing
\dn
\dn pub*
\du
\du+
\dg
\du nothing
\drds
\df
\df nothing
\df abs int4
\dT
\dT text[]
\db
\dc
\dC nothing
\dD
\dy
\des
\dew
\det
\deu
\dRp
\dRs
\dX
\dA heap
\dl
\ddp
\dconfig work_mem
\dconfig search_path
\dconfig nothing
\dd lower
\dO nothing
\dO C
\dP
\dPi
